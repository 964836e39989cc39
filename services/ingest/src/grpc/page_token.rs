//! Where the next page begins, tied to the question it belongs to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channel_proto::ingest::v1 as pb;
use channel_runtime::fault::FieldErrors;
use prost::Message;
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const LENGTH: usize = 1 + 8 + 8;

/// A question, apart from the page: method and filters.
pub(super) struct Binding(Sha256);

impl Binding {
    pub(super) fn of_list(request: &pb::ListQuarantinedRequest) -> Self {
        let question = pb::ListQuarantinedRequest {
            include_body: false,
            page_size: 0,
            page_token: String::new(),
            ..request.clone()
        };
        Self(Sha256::new().chain_update(b"list").chain_update(question.encode_to_vec()))
    }

    pub(super) fn of_replay(request: &pb::ReplayRequest) -> Self {
        let question =
            pb::ReplayRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        Self(Sha256::new().chain_update(b"replay").chain_update(question.encode_to_vec()))
    }

    fn check(&self, place: i64) -> [u8; 8] {
        let hash = self.0.clone().chain_update(place.to_be_bytes()).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        first
    }

    /// The token for a place; empty for none.
    pub(super) fn write(&self, place: Option<i64>) -> String {
        let Some(place) = place else {
            return String::new();
        };
        let mut token = vec![VERSION];
        token.extend_from_slice(&place.to_be_bytes());
        token.extend_from_slice(&self.check(place));
        URL_SAFE_NO_PAD.encode(token)
    }

    fn place(&self, token: &str) -> Option<i64> {
        let token: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (&version, rest) = token.split_first()?;
        let (place, check) = rest.split_first_chunk()?;
        let place = i64::from_be_bytes(*place);
        (version == VERSION && check == self.check(place)).then_some(place)
    }
}

/// Reads a token as the last of a request's fields, and ends the collection of bad ones.
pub(super) fn read(
    mut bad: FieldErrors,
    binding: &Binding,
    token: &str,
) -> Result<Option<i64>, FieldErrors> {
    let place = binding.place(token);
    if !token.is_empty() && place.is_none() {
        // Its own reason, unless something else is wrong as well.
        if bad.is_empty() {
            bad = FieldErrors::with_reason("PAGE_TOKEN_INVALID");
        }
        bad.add("page_token", "is not from a page before with the same filters");
    }
    bad.finish().map(|()| place)
}

#[cfg(test)]
mod tests {
    use channel_runtime::fault::Fault;

    use super::*;

    const REFUSED: Result<Option<i64>, &str> = Err("PAGE_TOKEN_INVALID");

    fn question(account_id: &str) -> pb::ListQuarantinedRequest {
        pb::ListQuarantinedRequest { account_id: account_id.to_owned(), ..Default::default() }
    }

    fn place(binding: &Binding, token: &str) -> Result<Option<i64>, &'static str> {
        read(FieldErrors::default(), binding, token).map_err(|errors| errors.reason())
    }

    #[test]
    fn a_token_leads_back_to_its_place_and_only_with_its_own_question() {
        let a = Binding::of_list(&question("a"));
        let token = a.write(Some(7));
        assert_eq!(place(&a, &token), Ok(Some(7)));
        assert_eq!(place(&a, ""), Ok(None));
        assert_eq!(place(&Binding::of_list(&question("b")), &token), REFUSED);
        let resized =
            pb::ListQuarantinedRequest { page_size: 3, page_token: token.clone(), ..question("a") };
        assert_eq!(place(&Binding::of_list(&resized), &token), Ok(Some(7)));
    }

    #[test]
    fn no_token_with_one_changed_bit_is_taken() {
        let binding = Binding::of_list(&question("a"));
        let bytes = URL_SAFE_NO_PAD.decode(binding.write(Some(7))).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(place(&binding, &URL_SAFE_NO_PAD.encode(forged)), REFUSED);
        }
        assert_eq!(place(&binding, "nonsense"), REFUSED);
    }
}
