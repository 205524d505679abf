//! Functions whose results depend on more than the files: time, chance, and keys.

use super::arguments::{Call, Function, number, string};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    // A new salt each time.
    Function::partial("bcrypt", &[string("str")], unknown).with_variadic(number("cost")),
    Function::partial("plantimestamp", &[], unknown),
    Function::partial("timestamp", &[], unknown),
    Function::partial("uuid", &[], unknown),
    // Portolan has no business with private keys.
    Function::partial("rsadecrypt", &[string("ciphertext"), string("privatekey")], |call| {
        Ok(call.unsupported("`rsadecrypt`"))
    }),
];

fn unknown(call: &Call) -> Result<Value, String> {
    Ok(call.impure())
}
