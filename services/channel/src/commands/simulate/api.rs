//! What to do with an API that is served.

use std::net::SocketAddr;

use crate::commands::url;
use crate::output::{Output, Style};

/// Shows where the API is and how to use it.
pub(super) fn show(address: SocketAddr, key: &str, out: &mut Output) -> anyhow::Result<()> {
    let url = url(address);
    let place = |name: &str, place: &str, note: &str, out: &Output| {
        format!("  {name:<9} {place:<32}  {}", out.styled(Style::Faint, note))
    };
    let lines = [
        String::new(),
        place("API", &format!("{url}/api/v1"), "UniPile's, of an invented world", out),
        place("key", key, "in the header X-API-KEY", out),
        place("control", &format!("{url}/simulator"), "faults, ledger, waiting; same key", out),
        String::new(),
        "  Point the product at it:".to_owned(),
        format!("    UNIPILE_DSN={url} UNIPILE_API_KEY={key} channel"),
        String::new(),
    ];
    Ok(out.line(lines.join("\n"))?)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use channel_unipile::hosts::check_base_url;

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_shown_is_what_the_product_takes() {
        let screen = Screen::default();
        let address = "127.0.0.1:7500".parse().unwrap();
        show(address, "the-key", &mut Output::plain(screen.clone())).unwrap();
        let shown = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        let dsn = shown.split_whitespace().find_map(|word| word.strip_prefix("UNIPILE_DSN="));
        assert_eq!(check_base_url(dsn.unwrap()).unwrap().as_str(), "http://127.0.0.1:7500");
        assert!(shown.contains("UNIPILE_API_KEY=the-key"), "{shown}");
    }
}
