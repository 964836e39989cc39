//! Ids of the shapes that UniPile and WhatsApp use.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::dice::Dice;

/// Makes new ids from a seed.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    dice: Dice,
    people: u64,
}

impl Ids {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, people: 0 }
    }

    /// Ids for people who must not be taken for anybody in the world.
    pub(crate) fn apart(dice: Dice) -> Self {
        Self { dice, people: 5_000_000 }
    }

    /// Draws from other dice from here on.
    pub(crate) fn turn_to(&mut self, dice: Dice) {
        self.dice = dice;
    }

    /// A UniPile id: 16 bytes, 22 characters of URL-safe base64.
    pub(crate) fn unipile(&mut self) -> Arc<str> {
        let mut bytes = [0; 16];
        self.dice.fill(&mut bytes);
        encode::<16, 22>(&bytes)
    }

    /// An attachment id: longer than the others, 44 characters.
    pub(crate) fn attachment(&mut self) -> Arc<str> {
        let mut bytes = [0; 33];
        self.dice.fill(&mut bytes);
        encode::<33, 44>(&bytes)
    }

    /// WhatsApp's id for a message sent from a phone: `3A` and 18 hexadecimal digits.
    pub(crate) fn provider_message(&mut self) -> String {
        let mut bytes = [0; 9];
        self.dice.fill(&mut bytes);
        let mut id = String::with_capacity(20);
        id.push_str("3A");
        for byte in bytes {
            let _ = write!(id, "{byte:02X}");
        }
        id
    }

    /// WhatsApp's id for a message sent from a linked device: `3EB0` and 18 hexadecimal digits.
    pub(crate) fn linked_device_message(&mut self) -> String {
        let id = self.provider_message();
        format!("3EB0{}", id.trim_start_matches("3A"))
    }

    /// A group's id at WhatsApp.
    pub(crate) fn group(&mut self) -> String {
        let digits = self.dice.between(0, 999_999_999_999);
        format!("120363{digits:012}@g.us")
    }

    /// A privacy id for somebody whose number is known from elsewhere.
    pub(crate) fn lid(&mut self) -> String {
        let digits = self.dice.between(0, 99_999_999_999);
        format!("9100{digits:011}@lid")
    }

    /// The phone digits and the privacy id (lid) of the next person. Numbers are fictional ones
    /// of the area code 555; the lid carries no digit of the phone's.
    pub(crate) fn person(&mut self) -> (String, String) {
        self.people += 1;
        // An odd factor that is no multiple of five is prime to 10^11: no lid occurs twice.
        let scattered = (self.people * 48_271 + 12_345) % 100_000_000_000;
        let phone = format!("1555{:07}", 100_000 + self.people);
        (phone, format!("9000{scattered:011}@lid"))
    }
}

pub(crate) fn encode<const BYTES: usize, const CHARS: usize>(bytes: &[u8; BYTES]) -> Arc<str> {
    let mut text = [0; CHARS];
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text).unwrap_or_default();
    String::from_utf8_lossy(&text[..written]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_lengths_of_real_ones() {
        let mut ids = Ids::new(Dice::new(1, 1));
        assert_eq!(ids.unipile().len(), 22);
        assert_eq!(ids.attachment().len(), 44);
        assert_eq!(ids.provider_message().len(), 20);
        assert_eq!(ids.group().len(), "120363000000000000@g.us".len());
        let (phone, lid) = ids.person();
        assert_eq!(phone.len(), "15550100001".len());
        assert_eq!(lid.len(), "900000000000002@lid".len());
    }
}
