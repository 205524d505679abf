(comment) @comment
(directive) @keyword.directive

(string) @string
(escape_sequence) @string.escape
(interpolation) @none
(interpolation "${" @punctuation.special)
(interpolation "}" @punctuation.special)
(number) @number
(boolean) @boolean
(null) @constant.builtin

[
  "targetScope" "metadata" "param" "type" "var" "func" "resource" "module" "test" "assert" "output" "import"
  "extension" "using" "extends" "extensionConfig" "existing" "from" "as" "with" "none"
] @keyword
"if" @keyword.conditional
["for" "in"] @keyword.repeat

(parameter_declaration name: (identifier) @variable.parameter)
(parameter name: (identifier) @variable.parameter)
(lambda_parameter) @variable.parameter
(lambda_parameters (identifier) @variable.parameter)
(variable_declaration name: (identifier) @variable)
(output_declaration name: (identifier) @variable)
(resource_declaration name: (identifier) @variable)
(module_declaration name: (identifier) @variable)
(function_declaration name: (identifier) @function)
(type_declaration name: (identifier) @type.definition)

(parameter_declaration type: (identifier) @type)
(parameter type: (identifier) @type)
(output_declaration type: (identifier) @type)
(type_property type: (identifier) @type)
(array_type (identifier) @type)
(nullable_type (identifier) @type)
(union_type (identifier) @type)

(call function: (identifier) @function.call)
(call function: (member_access property: (identifier) @function.method.call))
(decorator "@" @attribute (identifier) @attribute)
(property key: (identifier) @property)
(type_property key: (identifier) @property)
(member_access property: (identifier) @property)
(nested_resource name: (identifier) @property)

[
  "??" "||" "&&" "==" "!=" "=~" "!~" "<" "<=" ">" ">=" "+" "-" "*" "/" "%" "!" "=" "=>" "..."
] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," "." ".?" "::" ":"] @punctuation.delimiter
