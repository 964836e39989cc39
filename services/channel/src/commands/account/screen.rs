//! Codes on the screen, one in the place of the other.

use std::io;

use anyhow::Context;
use channel_proto::messaging::v1::link_step::Step;
use channel_proto::types::v1::Account;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::told;
use crate::output::{Output, Style, tame};

/// Where steps are shown.
pub(super) struct Screen {
    out: Output,
    /// Lines that the next step takes the place of.
    drawn: usize,
}

impl Screen {
    pub(super) const fn new(out: Output) -> Self {
        Self { out, drawn: 0 }
    }

    pub(super) const fn out(&mut self) -> &mut Output {
        &mut self.out
    }

    /// Shows what is to be done now. A code is gone once it is of no use any more.
    pub(super) fn show(&mut self, step: &Step) -> anyhow::Result<()> {
        let lines = match step {
            Step::QrCode(code) => self.qr(&code.payload)?,
            Step::PairingCode(code) => vec![
                "On the phone: WhatsApp, Linked devices, Link a device, Link with phone number."
                    .into(),
                format!("Type this code: {}", self.out.styled(Style::Strong, &tame(&code.code))),
            ],
            Step::Accepted(_) => vec!["Linked. Waiting until the account runs …".into()],
            Step::Completed(_) | Step::Failed(_) => vec![],
        };
        self.clear()?;
        for line in &lines {
            self.out.line(line)?;
        }
        self.drawn = lines.len();
        Ok(())
    }

    /// Takes back what is shown.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.out.erase(std::mem::take(&mut self.drawn))
    }

    pub(super) fn connected(&mut self, account: Option<&Account>) -> anyhow::Result<()> {
        self.clear()?;
        let account = account.context("the server answered without an account")?;
        Ok(self.out.line(format!("connected: {}", told(account)))?)
    }

    fn qr(&self, payload: &str) -> anyhow::Result<Vec<String>> {
        let code = QrCode::with_error_correction_level(payload, EcLevel::L);
        let code = code.context("the code is too long to be drawn")?;
        // Light is drawn and dark left out: terminals are dark, and where not, colours say so.
        let picture = code
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .quiet_zone(true)
            .build();
        let picture = picture.lines().map(|line| self.out.styled(Style::Code, line).into_owned());
        let words = "On the phone: WhatsApp, Linked devices, Link a device. Scan this code:".into();
        Ok(std::iter::once(words).chain(picture).collect())
    }
}
