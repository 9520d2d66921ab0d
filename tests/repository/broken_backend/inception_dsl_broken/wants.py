import module_that_is_not_there

BACKEND = module_that_is_not_there
