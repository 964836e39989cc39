//! What a notification says: who sent it, and which accounts moved how far.
//!
//! `1a2b3c4d;17:5,18:902`, numbers after the sender in decimal; or `1a2b3c4d;*` for all accounts.

use channel_store::log::Moved;
use std::fmt::Write;
use std::sync::Arc;

/// The most that is sent; PostgreSQL takes less than 8,000 bytes.
const LONGEST: usize = 7 * 1024;

/// Writes what moved; all accounts, if it is too much to say.
pub(super) fn write(sender: u32, moved: impl IntoIterator<Item = (i64, u64)>) -> String {
    let mut text = format!("{sender:08x};");
    let mut comma = "";
    for (account, head) in moved {
        // Writing into a string cannot fail.
        let _ = write!(text, "{comma}{account}:{head}");
        comma = ",";
        if text.len() > LONGEST {
            return everything(sender);
        }
    }
    text
}

pub(super) fn everything(sender: u32) -> String {
    format!("{sender:08x};*")
}

/// Reads what others sent; `None` if it is our own. What cannot be read may mean anything, so it means
/// all accounts.
pub(super) fn read(own: u32, text: &str) -> Option<Arc<[Moved]>> {
    let sender_and_moved = text.split_once(';');
    let Some((sender, moved)) = sender_and_moved else {
        return Some(Arc::new([]));
    };
    if u32::from_str_radix(sender, 16) == Ok(own) {
        return None;
    }
    Some(moved.split(',').map(one).collect::<Option<_>>().unwrap_or_default())
}

fn one(text: &str) -> Option<Moved> {
    let (account, head) = text.split_once(':')?;
    let (account_key, head) = (account.parse().ok()?, head.parse().ok()?);
    Some(Moved { account_key, head, can_wait: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn too_many_accounts_become_all_accounts() {
        let many = (0..2000).map(|account| (i64::MAX - account, u64::MAX));
        let text = write(7, many);
        assert_eq!(text, "00000007;*");
        assert_eq!(read(8, &text).as_deref(), Some(&[][..]));
    }

    #[test]
    fn our_own_and_unreadable_notifications_do_no_harm() {
        assert_eq!(read(7, &write(7, [(1, 2)])), None);
        for text in ["", ";", "x", "1;2", "1;2:x", "1;:"] {
            assert_eq!(read(7, text).as_deref(), Some(&[][..]), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(moved in proptest::collection::btree_map(any::<i64>(), any::<u64>(), 1..100)) {
            let text = write(1, moved.clone());
            let read = read(2, &text).unwrap_or_default();
            let read: Vec<_> = read.iter().map(|one| (one.account_key, one.head)).collect();
            prop_assert_eq!(read, moved.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn a_payload_fits_into_a_notification(heads in proptest::collection::vec(any::<u64>(), 0..1000)) {
            let text = write(u32::MAX, (0..).zip(heads));
            prop_assert!(text.len() < 7_999);
        }
    }
}
