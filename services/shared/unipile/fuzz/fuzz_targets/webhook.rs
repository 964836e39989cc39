//! No body makes the webhook parser or the digest panic, and reading twice gives the same.
#![no_main]

use channel_unipile::digest;
use channel_unipile::v1::webhook::{Parsed, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let parsed = parse(body);
    assert_eq!(parsed, parse(body));
    if let Parsed::Statement(statement) = &parsed {
        assert!(!statement.account.as_str().contains('\0'));
        assert_eq!(digest(statement).is_some(), statement.fact.is_monotone());
    }
});
