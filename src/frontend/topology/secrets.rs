//! What looks like a secret, though nobody marked it: it has no business in a document that is handed on.

/// How an attribute is called, and what that says of its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Name {
    /// Nothing.
    Open,
    /// It is about keys, certificates or secrets: what is written there may be secret, whether it is there is not.
    About,
    /// It may be secret as a whole, or is a program, or settings in which secrets hide.
    Secret,
}

/// Words of [`Name::About`].
const ABOUT: &[&str] = &[
    "certificate",
    "certificates",
    "credential",
    "credentials",
    "key",
    "keys",
    "script",
    "secret",
    "secrets",
];

/// Words of [`Name::Secret`].
const SECRET: &[&str] =
    &["command", "content", "env", "passphrase", "password", "passwords", "pfx", "sas", "token", "tokens"];

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

/// What an attribute's name says of its value. Ids and names of keys and secrets (`key_vault_key_id`) only say where they are.
pub(super) fn name(name: &str) -> Name {
    let words = words(name);
    let last = words.last().map(String::as_str).unwrap_or_default();
    if matches!(last, "id" | "ids" | "name" | "names" | "uri" | "url" | "enabled") {
        return Name::Open;
    }
    let pair = |pair: &[String]| matches!(pair, [a, b] if PAIRS.contains(&(a.as_str(), b.as_str())));
    if words.iter().any(|word| SECRET.contains(&word.as_str()))
        || words.windows(2).any(pair)
        || words.len() == 1 && last == "arguments"
    {
        return Name::Secret;
    }
    if words.iter().any(|word| ABOUT.contains(&word.as_str())) { Name::About } else { Name::Open }
}

/// Whether an attribute of something that is about secrets says which one is meant, or whether it is used.
pub(super) fn only_names(name: &str) -> bool {
    matches!(words(name).last().map(String::as_str), Some("id" | "ids" | "name" | "names" | "enabled"))
}

/// Whether resources of a type are there to hold something that may be secret (`azurerm_key_vault_secret`).
pub(super) fn holds_secret(resource_type: &str) -> bool {
    let words = words(resource_type);
    let last = words.last().map(String::as_str).unwrap_or_default();
    ABOUT.contains(&last)
        || SECRET.contains(&last)
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
        let all = |expected: Name, names: &[&str]| {
            for text in names {
                assert_eq!(name(text), expected, "{text}");
            }
        };
        all(
            Name::Secret,
            &[
                "admin_password",
                "adminPassword",
                "custom_data",
                "customData",
                "appSettings",
                "app_settings",
                "connection_string",
                "protectedSettings",
                "administratorLoginPassword",
                "scriptContent",
                "arguments",
            ],
        );
        all(
            Name::About,
            &["shared_key", "primaryAccessKey", "client_secret", "ssl_certificate", "sslCertificates"],
        );
        all(
            Name::Open,
            &[
                "name",
                "address_prefixes",
                "disassociate_on_delete",
                "monkey",
                "key_vault_id",
                "key_vault_secret_id",
                "private_connection_resource_id",
                "public_network_access_enabled",
                "ssl_certificate_name",
                "delegatedSubnetArguments",
                "dns_settings",
            ],
        );
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
