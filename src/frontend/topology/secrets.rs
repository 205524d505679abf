//! What looks like a secret, though nobody marked it: it has no business in a document that is handed on.

/// Words in names of attributes whose values may be secret, or are whole programs and settings in which secrets hide.
const WORDS: &[&str] = &[
    "arguments",
    "certificate",
    "certificates",
    "command",
    "content",
    "credential",
    "credentials",
    "env",
    "key",
    "keys",
    "passphrase",
    "password",
    "passwords",
    "pfx",
    "sas",
    "script",
    "secret",
    "secrets",
    "token",
    "tokens",
];

/// Neighbouring words that say so together.
const PAIRS: &[(&str, &str)] = &[
    ("app", "settings"),
    ("connection", "string"),
    ("connection", "strings"),
    ("custom", "data"),
    ("environment", "variables"),
    ("protected", "settings"),
    ("user", "data"),
];

/// Pieces of texts that hold secrets: connection strings, signed addresses, keys, scripts.
const PIECES: &[&str] = &[
    "accountkey=",
    "password",
    "passwd",
    "pwd=",
    "secret",
    "sharedaccess",
    "sharedkey",
    "sig=",
    "token",
    "-----begin",
];

/// Whether the value of an attribute is left out for its name. Ids of keys and secrets (`key_vault_key_id`) only say where
/// they are.
pub(super) fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map(String::as_str).unwrap_or_default();
    if matches!(last, "id" | "ids" | "name" | "names" | "uri" | "url" | "enabled") {
        return false;
    }
    words.iter().any(|word| WORDS.contains(&word.as_str()))
        || words.windows(2).any(|pair| matches!(pair, [a, b] if PAIRS.contains(&(a.as_str(), b.as_str()))))
}

/// Whether resources of a type are there to hold a value that may be secret (`azurerm_key_vault_secret`).
pub(super) fn holds_secret(resource_type: &str) -> bool {
    let words = words(resource_type);
    words.last().is_some_and(|last| WORDS.contains(&last.as_str()))
        || words.iter().any(|word| matches!(word.as_str(), "variable" | "variables"))
}

/// Whether a text may hold a secret: a longer one (not a name) that mentions it.
pub(super) fn may_hold_secret(text: &str) -> bool {
    let structured = text.contains(['=', '{', '\n']);
    structured && {
        let text = text.to_ascii_lowercase();
        PIECES.iter().any(|piece| text.contains(piece))
    }
}

/// The words of `snake_case`, `camelCase` and `kebab-case` in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_capital = true;
    for character in name.chars() {
        let starts = character.is_uppercase() && !after_capital;
        after_capital = character.is_uppercase();
        if !character.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if let (true, Some(word)) = (character.is_alphanumeric(), words.last_mut()) {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "admin_password",
            "adminPassword",
            "shared_key",
            "primaryAccessKey",
            "custom_data",
            "customData",
            "appSettings",
            "app_settings",
            "connection_string",
            "client_secret",
            "protectedSettings",
            "administratorLoginPassword",
            "ssl_certificate",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "name",
            "address_prefixes",
            "disassociate_on_delete",
            "monkey",
            "key_vault_id",
            "key_vault_secret_id",
            "private_connection_resource_id",
            "public_network_access_enabled",
            "ssl_certificate_name",
            "dns_settings",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn types_that_hold_secrets_are_known() {
        for kind in [
            "azurerm_key_vault_secret",
            "Microsoft.KeyVault/vaults/secrets",
            "azurerm_automation_variable_string",
        ] {
            assert!(holds_secret(kind), "{kind}");
        }
        for kind in [
            "azurerm_key_vault",
            "azurerm_subnet",
            "Microsoft.KeyVault/vaults",
            "Microsoft.Network/privateDnsZones",
        ] {
            assert!(!holds_secret(kind), "{kind}");
        }
    }

    #[test]
    fn texts_with_secrets_are_told_from_names() {
        for text in [
            r#"{"properties": {"adminPassword": "hunter2"}}"#,
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc==",
            "https://a.blob.core.windows.net/c?sv=1&sig=abc",
            "-----BEGIN PRIVATE KEY-----\nabc",
        ] {
            assert!(may_hold_secret(text), "{text}");
        }
        for text in ["vnet-hub", "password-reset-service", "/subscriptions/0/resourceGroups/secrets"] {
            assert!(!may_hold_secret(text), "{text}");
        }
    }
}
