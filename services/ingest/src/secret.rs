//! Whether a webhook comes from the one we gave the secret to.

use channel_runtime::config::Secret;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::config::IngestConfig;
use crate::error::Refusal;

type Hash = [u8; 32];

/// The secrets, hashed: hashes have one length, so that comparing tells nothing about the secret's.
pub(crate) struct Credentials {
    secrets: Vec<Hash>,
    path_token: Option<Hash>,
}

impl Credentials {
    pub(crate) fn new(config: &IngestConfig) -> Self {
        let hashed = |secret: &Secret| (!secret.is_empty()).then(|| hash(secret.expose()));
        let secrets = [&config.webhook_secret, &config.webhook_secret_next];
        Self {
            secrets: secrets.into_iter().filter_map(hashed).collect(),
            path_token: hashed(&config.path_token),
        }
    }

    /// Compares what a request brought: the values of the secret header, and the last part of its path.
    pub(crate) fn check<'a>(
        &self,
        values: impl Iterator<Item = &'a [u8]>,
        path_token: Option<&str>,
    ) -> Result<(), Refusal> {
        // Both are always compared, so that the time tells nothing about which one was wrong.
        let good = self.is_secret(values) & self.is_path(path_token);
        if bool::from(good) { Ok(()) } else { Err(Refusal::SecretWrong) }
    }

    /// A header that comes twice is nobody's word.
    fn is_secret<'a>(&self, mut values: impl Iterator<Item = &'a [u8]>) -> Choice {
        if self.secrets.is_empty() {
            return Choice::from(1);
        }
        let (Some(value), None) = (values.next(), values.next()) else {
            return Choice::from(0);
        };
        let given = hash(value);
        let any = |found: Choice, secret: &Hash| found | secret.ct_eq(&given);
        self.secrets.iter().fold(Choice::from(0), any)
    }

    fn is_path(&self, given: Option<&str>) -> Choice {
        match (&self.path_token, given) {
            (Some(token), Some(given)) => token.ct_eq(&hash(given)),
            (None, None) => Choice::from(1),
            _ => Choice::from(0),
        }
    }
}

fn hash(value: impl AsRef<[u8]>) -> Hash {
    Sha256::digest(value).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &IngestConfig, values: &[&str], path: Option<&str>) -> bool {
        let values = values.iter().map(|value| value.as_bytes());
        Credentials::new(config).check(values, path).is_ok()
    }

    #[test]
    fn either_of_two_secrets_opens_and_nothing_else_does() {
        let mut config =
            IngestConfig { webhook_secret: Secret::new("old"), ..IngestConfig::default() };
        assert!(check(&config, &["old"], None));
        for wrong in [&[][..], &["new"], &[""], &["old "], &["old", "old"]] {
            assert!(!check(&config, wrong, None), "{wrong:?}");
        }
        config.webhook_secret_next = Secret::new("new");
        assert!(check(&config, &["old"], None) && check(&config, &["new"], None));
        config.webhook_secret = Secret::default();
        assert!(!check(&config, &["old"], None) && !check(&config, &[""], None));
    }

    #[test]
    fn the_path_must_have_the_part_that_was_agreed_on() {
        let mut config =
            IngestConfig { webhook_secret: Secret::new("s"), ..IngestConfig::default() };
        assert!(!check(&config, &["s"], Some("p")));
        config.path_token = Secret::new("p");
        assert!(check(&config, &["s"], Some("p")));
        assert!(!check(&config, &["s"], None) && !check(&config, &["s"], Some("q")));
        assert!(!check(&config, &["x"], Some("p")));
    }
}
