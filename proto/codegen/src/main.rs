//! Generates the code of `channel-proto` into the tree.

fn main() -> anyhow::Result<()> {
    channel_proto_codegen::generate(&channel_proto_codegen::committed())
}
