//! Messages of the contracts as JSON, by the mapping that protobuf defines.

use std::sync::LazyLock;

use anyhow::Context;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

static CONTRACTS: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(channel_proto::FILE_DESCRIPTOR_SET).ok());

/// A message whose full name is `name`, such as `channel.types.v1.Change`, ready to be written as JSON.
pub(crate) fn of(name: &str, message: &impl Message) -> anyhow::Result<DynamicMessage> {
    let contracts = CONTRACTS.as_ref().context("the contracts cannot be read")?;
    let descriptor = contracts.get_message_by_name(name);
    let descriptor = descriptor.with_context(|| format!("no message is called {name}"))?;
    Ok(DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?)
}

/// The same, written.
pub(crate) fn line(name: &str, message: &impl Message) -> anyhow::Result<String> {
    Ok(serde_json::to_string(&of(name, message)?)?)
}

#[cfg(test)]
mod tests {
    use channel_proto::types::v1::Change;

    use super::*;

    #[test]
    fn a_message_maps_as_protobuf_says() {
        let change = Change {
            seq: 1 << 60,
            op: 1,
            entity_id: "m1".to_owned(),
            at: Some(prost_types::Timestamp { seconds: 0, nanos: 1_000 }),
            ..Change::default()
        };
        let json = line("channel.types.v1.Change", &change).unwrap();
        insta::assert_snapshot!(json, @r#"{"seq":"1152921504606846976","op":"CHANGE_KIND_PUT","entityId":"m1","at":"1970-01-01T00:00:00.000001Z"}"#);
    }
}
