//! Which base URLs are let through.

use channel_unipile::hosts::{BaseUrlError, check_base_url};

#[test]
fn a_base_url_of_the_first_generation_is_read_as_operators_write_it() {
    let cases = [
        ("https://api1.unipile.com:13111", "https://api1.unipile.com:13111"),
        ("api8.unipile.com:13851", "https://api8.unipile.com:13851"),
        (" https://API1.unipile.com:13111/api/v1/ ", "https://api1.unipile.com:13111"),
        ("https://api1.unipile.com", "https://api1.unipile.com"),
        ("http://127.0.0.1:4010", "http://127.0.0.1:4010"),
        ("http://[::1]:4010/", "http://[::1]:4010"),
        ("https://unipile.example.test", "https://unipile.example.test"),
        ("http://simulator:8080/api/v1", "http://simulator:8080"),
    ];
    for (written, expected) in cases {
        let url = check_base_url(written).unwrap();
        assert_eq!(url.as_str(), expected, "{written}");
        assert_eq!(url.is_at_unipile(), expected.contains(".unipile.com"), "{written}");
    }
}

#[test]
fn the_second_generation_is_refused_with_a_way_out() {
    for written in [
        "https://api.unipile.com",
        "api.unipile.com",
        "http://api.unipile.com",
        "https://API.UNIPILE.COM.:443/v2",
        "https://api.unipile.com/api/v1",
        "https://api1.unipile.com:13111/v2/acc",
    ] {
        let error = check_base_url(written).unwrap_err();
        assert_eq!(error, BaseUrlError::V2, "{written}");
        assert!(error.to_string().contains("https://api1.unipile.com:13111"));
    }
}

#[test]
fn what_is_unsafe_or_unreadable_is_refused_without_being_repeated() {
    let cases = [
        ("", BaseUrlError::Malformed),
        ("https://", BaseUrlError::Malformed),
        ("https://:13111", BaseUrlError::Malformed),
        ("https://api1.unipile.com:", BaseUrlError::Malformed),
        ("https://api1.unipile.com:99999", BaseUrlError::Malformed),
        ("https://a b", BaseUrlError::Malformed),
        ("ftp://api1.unipile.com", BaseUrlError::Scheme),
        ("http://api1.unipile.com:13111", BaseUrlError::ClearText),
        ("https://user:SECRET@api1.unipile.com", BaseUrlError::Credentials),
        ("https://api1.unipile.com/SECRET", BaseUrlError::Path),
        ("https://api1.unipile.com/?key=SECRET", BaseUrlError::Path),
        ("https://api1.unipile.com/#SECRET", BaseUrlError::Path),
    ];
    for (written, expected) in cases {
        let error = check_base_url(written).unwrap_err();
        assert_eq!(error, expected, "{written}");
        assert!(!error.to_string().contains("SECRET"));
        assert!(error.code().starts_with("BASE_URL_"));
    }
}

#[test]
fn a_host_that_only_resembles_unipile_is_not_taken_for_it() {
    for written in ["https://notunipile.com", "https://api.unipile.com.example.test"] {
        assert!(!check_base_url(written).unwrap().is_at_unipile(), "{written}");
    }
}
