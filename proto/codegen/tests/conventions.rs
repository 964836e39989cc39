//! Conventions of the contracts that buf has no rule for.

use std::collections::BTreeMap;

use channel_proto_codegen::compile;
use protox::prost_reflect::prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

#[test]
fn every_list_and_search_is_paged_and_says_how_fresh_it_is() {
    let messages = messages().unwrap();
    let lists: Vec<_> = messages
        .keys()
        .filter_map(|name| name.strip_prefix(".channel.query.v1."))
        .filter(|name| name.ends_with("Request") || name.ends_with("Response"))
        .filter(|name| name.starts_with("List") || name.starts_with("Search"))
        .collect();
    assert_eq!(lists.len(), 10, "five lists, each a request and a response: {lists:?}");
    for name in lists {
        let message = &messages[&format!(".channel.query.v1.{name}")];
        let expected: &[&str] = if name.ends_with("Request") {
            &["page_size", "page_token"]
        } else {
            &["next_page_token", "freshness"]
        };
        for field in expected {
            assert!(field_of(message, field).is_some(), "{name} has no {field}");
        }
    }
}

#[test]
fn every_entity_that_changes_carries_its_account_and_revision() {
    let messages = messages().unwrap();
    let change = &messages[".channel.types.v1.Change"];
    let entities: Vec<_> =
        change.field.iter().filter(|field| field.oneof_index == Some(0)).collect();
    assert_eq!(entities.len(), 7);
    for entity in entities {
        let message = &messages[entity.type_name()];
        assert!(field_of(message, "account_id").is_some(), "{} has no account", message.name());
        assert!(field_of(message, "revision").is_some(), "{} has no revision", message.name());
    }
}

#[test]
fn the_contracts_need_nothing_but_google_s_well_known_types() {
    let contracts = compile().unwrap();
    let foreign: Vec<_> = contracts
        .file
        .iter()
        .map(FileDescriptorProto::package)
        .filter(|package| !package.starts_with("channel.") && *package != "google.protobuf")
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// All top-level messages of the contracts, by their full name.
fn messages() -> anyhow::Result<BTreeMap<String, DescriptorProto>> {
    let mut found = BTreeMap::new();
    for file in compile()?.file {
        let package = file.package().to_owned();
        for message in file.message_type {
            found.insert(format!(".{package}.{}", message.name()), message);
        }
    }
    Ok(found)
}

fn field_of<'a>(message: &'a DescriptorProto, name: &str) -> Option<&'a FieldDescriptorProto> {
    message.field.iter().find(|field| field.name() == name)
}
