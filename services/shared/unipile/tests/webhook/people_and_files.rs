//! People, files, texts and quotes in their many shapes.

use crate::support::{fact, received};
use channel_domain::fact::{AttachmentKind, Fact, Person};
use serde_json::json;

#[test]
fn a_sender_is_found_nested_spread_over_the_body_or_as_an_identifier() {
    let named =
        Person { name: Some("A".into()), provider_id: Some("1@lid".into()), ..Person::default() };
    for more in [
        json!({"sender": {"attendee_name": "A", "attendee_provider_id": "1@lid"}}),
        json!({"sender": {"name": "A", "provider_id": "1@lid"}}),
        json!({"attendee_name": "A", "attendee_provider_id": "1@lid"}),
        json!({"sender": {}, "attendee_name": "A", "attendee_provider_id": "1@lid"}),
        json!({"sender": null, "attendee_name": "A", "attendee_provider_id": "1@lid"}),
    ] {
        assert_eq!(received(&more).sender.as_ref(), Some(&named), "{more}");
    }
    let bare = received(&json!({"sender": "1@lid"})).sender.unwrap();
    assert_eq!(bare.provider_id.as_deref(), Some("1@lid"));
    // The body's own keys are not the sender's.
    assert_eq!(received(&json!({"id": "x", "name": "y"})).sender, None);
}

#[test]
fn attendees_come_as_a_list_an_object_or_not_at_all() {
    let count = |form| received(&json!({"attendees": form})).attendees.len();
    assert_eq!(count(json!([{"attendee_id": "p"}, null, 5, {}, "1@lid"])), 2);
    assert_eq!(count(json!({"attendee_id": "p"})), 1);
    assert_eq!(count(json!(null)), 0);
    assert_eq!(count(json!(vec![json!({"attendee_id": "p"}); 5000])), 2048);
}

#[test]
fn nul_is_taken_out_of_text_and_makes_an_optional_id_count_as_missing() {
    let message = received(&json!({
        "message": "a\u{0}b", "subject": "\u{0}", "provider_chat_id": "c\u{0}",
        "sender": {"attendee_name": "N\u{0}", "attendee_id": "p\u{0}", "attendee_profile_url": "u\u{0}"},
        "quoted": {"provider_id": "q", "text": "\u{0}t"},
    }));
    assert_eq!(message.text.as_deref(), Some("ab"));
    assert_eq!((message.chat.subject, message.chat.provider_id), (None, None));
    let sender = message.sender.unwrap();
    assert_eq!((sender.name.as_deref(), sender.id), (Some("N"), None));
    assert_eq!(sender.profile_url.as_deref(), Some("u"));
    assert_eq!(message.quoted.unwrap().text.as_deref(), Some("t"));
}

#[test]
fn names_are_cut_between_characters_and_endless_links_left_out() {
    let message = received(&json!({
        "message": "é".repeat(10_000),
        "sender": {"attendee_name": "é".repeat(1000), "attendee_profile_url": "u".repeat(5000)},
    }));
    assert_eq!(message.text.unwrap().chars().count(), 10_000);
    let sender = message.sender.unwrap();
    assert_eq!(sender.name.unwrap().chars().count(), 256);
    assert_eq!(sender.profile_url, None);
}

#[test]
fn a_halved_emoji_loses_its_half_and_not_the_message() {
    let body = r#"{"event":"message_received","account_id":"a","message_id":"m","chat_id":"c",
        "message":"cut \ud83d","quoted":{"provider_id":"q","text":"\ude00"}}"#;
    let channel_unipile::v1::webhook::Parsed::Statement(statement) =
        channel_unipile::v1::webhook::parse(body.as_bytes())
    else {
        panic!("not read")
    };
    let message = crate::support::received_from(statement);
    assert_eq!(message.text.as_deref(), Some("cut \u{fffd}"));
}

#[test]
fn the_media_type_decides_the_kind_before_the_claimed_one() {
    use AttachmentKind::{Audio, Document, Gif, Image, Other, Sticker, Video, Voice};
    let cases = [
        (json!({"type": "file", "mimetype": "image/jpeg"}), Image),
        (json!({"attachment_type": "img", "mimetype": "VIDEO/mp4"}), Video),
        (json!({"type": "img"}), Image),
        (json!({"type": "img", "sticker": "true"}), Sticker),
        (json!({"type": "img", "sticker": "false", "mimetype": "image/webp"}), Image),
        (json!({"type": "video", "gif": 1}), Gif),
        (json!({"type": "audio", "voice_note": true}), Voice),
        (json!({"type": "audio", "voice_note": null}), Audio),
        (json!({"mimetype": "audio/ogg; codecs=opus", "voice_note": "1"}), Voice),
        (json!({"type": "file", "mimetype": "application/pdf"}), Document),
        (json!({"type": "img", "mimetype": "application/octet-stream"}), Image),
        (json!({"file_name": "a.bin"}), Document),
        (json!({"type": "contact_card", "mimetype": "text/vcard"}), Other),
        (json!({"type": 5}), Other),
    ];
    for (mut file, expected) in cases {
        file["id"] = json!("f");
        let message = received(&json!({"attachments": [file]}));
        assert_eq!(message.attachments[0].kind, expected, "{file}");
    }
}

#[test]
fn attachments_come_as_a_list_an_object_or_not_at_all() {
    let files = |form| received(&json!({"attachments": form})).attachments;
    assert_eq!(files(json!({"id": "f"})).len(), 1);
    assert_eq!(files(json!([null, "f", {}, {"id": "f"}, {"attachment_id": "f"}])).len(), 1);
    assert_eq!(files(json!(null)).len(), 0);
    let endless: Vec<_> = (0..500).map(|n| json!({"id": n.to_string()})).collect();
    assert_eq!(files(json!(endless)).len(), 64);
}

#[test]
fn a_file_without_an_id_is_kept_and_cannot_be_fetched() {
    let files = json!({"attachments": [{"type": "img"}, {"type": "img", "id": "x\u{0}"}]});
    let files = received(&files).attachments;
    let ids: Vec<_> = files.iter().map(|file| file.id.as_str()).collect();
    assert_eq!(ids, ["missing:0", "missing:1"]);
    assert!(files.iter().all(|file| file.unavailable));
}

#[test]
fn measures_come_from_size_or_beside_it_and_nonsense_is_left_out() {
    let file = |more| received(&json!({"attachments": more})).attachments.remove(0);
    let rest = file(json!({"id": "f", "size": {"width": "12", "height": 0}, "duration": 3.6}));
    assert_eq!((rest.width, rest.height, rest.size), (Some(12), None, None));
    assert_eq!(rest.duration_seconds, Some(4));
    let flat = file(json!({"id": "f", "size": 7, "width": 3_000_000_000_u32, "duration": -1}));
    assert_eq!((flat.width, flat.size, flat.duration_seconds), (None, Some(7), None));
}

#[test]
fn a_quote_is_read_as_rest_writes_it_and_otherwise_left_out() {
    let quoted = |more| received(&more).quoted;
    let long = quoted(json!({"reply_to": {"id": "m0", "provider_id": "q"}})).unwrap();
    assert_eq!(long.message.unwrap().as_str(), "m0");
    for shape in
        [json!("text"), json!([]), json!({}), json!({"x": 1}), json!({"sender_id": "1@lid"})]
    {
        assert_eq!(quoted(json!({"quoted": shape})), None, "{shape}");
    }
}

#[test]
fn a_reaction_without_emoji_takes_it_back_and_only_its_sender_is_the_actor() {
    for gone in [json!(null), json!(""), json!(5)] {
        let body = json!({"event": "message_reaction", "reaction": gone,
            "reaction_sender": {"attendee_id": "p"}, "sender": {"attendee_id": "author"}});
        let Fact::Reacted(reacted) = fact(&body) else { panic!("{body}") };
        assert_eq!((reacted.emoji, reacted.actor.id.unwrap().as_str()), (None, "p"));
    }
    let body = json!({"event": "message_reaction", "reaction": {"value": "👍"}, "sender": "1@lid"});
    let Fact::Reacted(reacted) = fact(&body) else { panic!("{body}") };
    assert_eq!((reacted.emoji.as_deref(), reacted.actor), (Some("👍"), Person::default()));
}

#[test]
fn an_edit_without_text_asks_to_be_read_again() {
    for (text, expected) in [(json!("new"), Some("new")), (json!(null), None), (json!(""), None)] {
        let Fact::Edited(edited) = fact(&json!({"event": "message_edited", "message": text}))
        else {
            panic!("{text}")
        };
        assert_eq!(edited.text.as_deref(), expected, "{text}");
    }
}
