use std::sync::Arc;

/// How much of a person's phone number an account gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// The number.
    Shown,
    /// The literal word `hidden` in its place.
    Hidden,
    /// Nothing at all.
    Absent,
}

/// A WhatsApp user as one account knows them: UniPile's attendee.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) attendee_id: Arc<str>,
    pub(crate) name: String,
    pub(crate) privacy: Privacy,
    phone: String,
    phone_jid: String,
    lid: Option<String>,
}

impl Person {
    pub(crate) fn new(attendee_id: Arc<str>, name: String, digits: &str, lid: String) -> Self {
        Self {
            attendee_id,
            name,
            privacy: Privacy::Shown,
            phone: format!("+{digits}"),
            phone_jid: format!("{digits}@s.whatsapp.net"),
            lid: Some(lid),
        }
    }

    /// Gets another number.
    pub(crate) fn change_number(&mut self, digits: &str) {
        self.phone = format!("+{digits}");
        self.phone_jid = format!("{digits}@s.whatsapp.net");
    }

    /// Addressed by phone number, as everybody was before privacy ids.
    pub(crate) fn without_lid(self) -> Self {
        Self { lid: None, ..self }
    }

    pub(crate) fn with_privacy(self, privacy: Privacy) -> Self {
        Self { privacy, ..self }
    }

    /// The privacy id, for those who have one.
    pub(crate) fn lid(&self) -> Option<&str> {
        self.lid.as_deref()
    }

    /// The number without `+`, whatever the account gets to see of it.
    pub(crate) fn digits(&self) -> &str {
        self.phone.trim_start_matches('+')
    }

    /// The id by phone number, whatever the account gets to see of it.
    pub(crate) fn phone_jid(&self) -> &str {
        &self.phone_jid
    }

    /// The id that WhatsApp addresses this person by.
    pub(crate) fn provider_id(&self) -> &str {
        self.lid.as_deref().unwrap_or(&self.phone_jid)
    }

    /// The id by phone number, where the number is not private.
    pub(crate) fn public_identifier(&self) -> Option<&str> {
        (self.privacy == Privacy::Shown).then_some(&*self.phone_jid)
    }

    /// What stands in `phone_number`: the number with `+`, the word `hidden`, or nothing.
    pub(crate) fn phone_number(&self) -> Option<&str> {
        match self.privacy {
            Privacy::Shown => Some(&self.phone),
            Privacy::Hidden => Some("hidden"),
            Privacy::Absent => None,
        }
    }
}
