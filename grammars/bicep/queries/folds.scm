[
  (object)
  (array)
  (for_expression)
  (object_type)
  (tuple_type)
  (arguments)
  (comment)
] @fold
