use super::*;
use channel_domain::SortKey;
use channel_runtime::fault::Fault;
use channel_store::reads::ChatPlace;
use proptest::prelude::*;

fn tokens() -> PageTokens {
    PageTokens::new(&[7; TOKEN_KEY_LENGTH])
}

fn question() -> Binding {
    Binding::new("ListChats", "t1").set(["a", "b"]).flag(Some(true)).texts(["ana"])
}

fn refused(tokens: &PageTokens, binding: &Binding, token: &str) -> bool {
    let error = tokens.open(binding, token).unwrap_err();
    assert_eq!(error.reason(), "PAGE_TOKEN_INVALID");
    assert_eq!(error.violations()[0].field, "page_token");
    true
}

#[test]
fn a_token_opens_for_its_own_question_only() {
    let token = tokens().seal(&question(), b"here");
    assert_eq!(tokens().open(&question(), &token).unwrap(), b"here");
    let base = || Binding::new("ListChats", "t1");
    let others = [
        Binding::new("ListAttendees", "t1").set(["a", "b"]).flag(Some(true)).texts(["ana"]),
        Binding::new("ListChats", "t2").set(["a", "b"]).flag(Some(true)).texts(["ana"]),
        base().set(["a"]).flag(Some(true)).texts(["ana"]),
        base().set(["ab"]).flag(Some(true)).texts(["ana"]),
        base().set(["a", "b"]).flag(Some(false)).texts(["ana"]),
        base().set(["a", "b"]).flag(None).texts(["ana"]),
        base().set(["a", "b"]).flag(Some(true)).texts(["an", "a"]),
        base().set(["a", "b"]).flag(Some(true)),
    ];
    for other in &others {
        assert!(refused(&tokens(), other, &token));
    }
    // The order in which accounts are named is no other question.
    let same = base().set(["b", "a", "b"]).flag(Some(true)).texts(["ana"]);
    assert_eq!(tokens().open(&same, &token).unwrap(), b"here");
}

#[test]
fn a_token_of_another_server_key_is_refused() {
    let token = PageTokens::new(&[8; TOKEN_KEY_LENGTH]).seal(&question(), b"here");
    assert!(refused(&tokens(), &question(), &token));
}

#[test]
fn the_key_is_not_printed() {
    assert_eq!(format!("{:?}", tokens()), "PageTokens");
}

#[test]
fn an_account_goes_on_before_at_or_behind_the_last_row_by_its_turn() {
    let order = SortKey::first_at(channel_domain::Micros(5));
    let place = ChatsPlace { order, account_key: 2, chat_key: 9 };
    assert_eq!(place.within(2), (order, 9));
    assert_eq!(place.within(3), (order, i64::MIN));
    assert_eq!(place.within(1), (order, i64::MAX));
    let hit = SearchPlace { order, account_key: 2 };
    assert_eq!((hit.within(2), hit.within(3)), (order, order));
    assert!(hit.within(1) > order);
    let last = SearchPlace { order: SortKey::MAX, account_key: 2 };
    assert_eq!(last.within(1), SortKey::MAX);
}

/// What the store promises of one account's list: the greatest place first, only what lies behind.
fn stored(rows: &[ChatPlace], after: Option<ChatPlace>, limit: usize) -> Vec<ChatPlace> {
    let mut rows: Vec<_> =
        rows.iter().copied().filter(|row| after.is_none_or(|after| *row < after)).collect();
    rows.sort_by(|a, b| b.cmp(a));
    rows.truncate(limit);
    rows
}

fn order(number: u8) -> SortKey {
    SortKey::from_bytes(&[number; SortKey::LEN]).unwrap()
}

proptest! {
    #[test]
    fn any_changed_character_is_refused(
        place in proptest::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
    ) {
        let token = tokens().seal(&question(), &place);
        let mut characters: Vec<char> = token.chars().collect();
        let at = at.index(characters.len());
        prop_assume!(characters[at] != with);
        characters[at] = with;
        let changed: String = characters.into_iter().collect();
        prop_assert!(refused(&tokens(), &question(), &changed));
    }

    #[test]
    fn any_flipped_bit_is_refused(
        place in proptest::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        use base64::Engine as _;
        let coding = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let mut bytes = coding.decode(tokens().seal(&question(), &place)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(refused(&tokens(), &question(), &coding.encode(bytes)));
    }

    #[test]
    fn a_cut_or_longer_token_is_refused(cut in 1..20_usize, more in "[A-Za-z0-9_-]{1,20}") {
        let token = tokens().seal(&question(), b"a place in a list");
        prop_assert!(refused(&tokens(), &question(), &token[..token.len() - cut]));
        let longer = token + &more;
        prop_assert!(refused(&tokens(), &question(), &longer));
    }

    #[test]
    fn any_text_is_a_token_or_refused(text in "\\PC{0,80}") {
        prop_assert!(refused(&tokens(), &question(), &text));
    }

    #[test]
    fn places_come_back(key in any::<[u8; 24]>(), a in any::<i64>(), b in any::<i64>(), id in "\\PC{0,20}", newer in any::<bool>(), inclusive in any::<bool>()) {
        let order = SortKey::from_bytes(&key).unwrap();
        let chats = ChatsPlace { order, account_key: a, chat_key: b };
        prop_assert_eq!(ChatsPlace::from_bytes(&chats.to_bytes()), Some(chats));
        let search = SearchPlace { order, account_key: a };
        prop_assert_eq!(SearchPlace::from_bytes(&search.to_bytes()), Some(search));
        let towards = if newer { Towards::Newer } else { Towards::Older };
        let messages = MessagesPlace { towards, key: order, inclusive };
        prop_assert_eq!(MessagesPlace::from_bytes(&messages.to_bytes()), Some(messages));
        let people = AttendeePlace { account_id: id, attendee_key: b };
        prop_assert_eq!(AttendeePlace::from_bytes(&people.to_bytes()), Some(people));
    }

    /// Few different keys, so that ties inside and across accounts are the rule.
    #[test]
    fn pages_over_accounts_show_every_chat_once_in_one_order(
        accounts in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..12), 0..5),
        size in 1..6_usize,
    ) {
        let lists: Vec<(i64, Vec<ChatPlace>)> = accounts
            .iter()
            .zip(1_i64..)
            .map(|(rows, key)| (key, rows.iter().zip(1_i64..).map(|(it, chat)| (order(*it), chat)).collect()))
            .collect();
        let mut place: Option<ChatsPlace> = None;
        let mut seen = Vec::new();
        loop {
            let read = lists.iter().map(|(key, rows)| {
                (*key, stored(rows, place.map(|place| place.within(*key)), size + 1))
            });
            let mut page = merged(read, |(order, _)| *order, size + 1);
            let more = cut(&mut page, size);
            seen.extend(page.iter().map(|(account, (order, chat))| (*order, *account, *chat)));
            let Some((account_key, (order, chat_key))) = page.last().copied().filter(|_| more) else {
                break;
            };
            place = Some(ChatsPlace { order, account_key, chat_key });
        }
        let mut all: Vec<_> = lists
            .iter()
            .flat_map(|(account, rows)| rows.iter().map(move |(order, chat)| (*order, *account, *chat)))
            .collect();
        all.sort_by(|a, b| b.cmp(a));
        prop_assert_eq!(seen, all);
    }
}
