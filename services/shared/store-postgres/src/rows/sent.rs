//! Rows as they are sent to the server.

/// Declares a row whose fields are the attributes of a composite type of the schema, in its order.
///
/// What sqlx derives for such types has no place for borrowed fields.
macro_rules! row_sent {
    ($type_name:literal, struct $row:ident $(<$r:lifetime>)? { $($field:ident: $kind:ty,)* }) => {
        pub(super) struct $row $(<$r>)? { $($field: $kind,)* }

        #[cfg(test)]
        impl $(<$r>)? $row $(<$r>)? {
            /// The type's name and its attributes.
            pub(super) const SENT: (&'static str, &'static [&'static str]) =
                ($type_name, &[$(stringify!($field)),*]);
        }

        impl $(<$r>)? sqlx::Type<sqlx::Postgres> for $row $(<$r>)? {
            fn type_info() -> sqlx::postgres::PgTypeInfo {
                sqlx::postgres::PgTypeInfo::with_name($type_name)
            }
        }

        impl $(<$r>)? sqlx::postgres::PgHasArrayType for $row $(<$r>)? {
            fn array_type_info() -> sqlx::postgres::PgTypeInfo {
                sqlx::postgres::PgTypeInfo::array_of($type_name)
            }
        }

        impl $(<$r>)? sqlx::Encode<'_, sqlx::Postgres> for $row $(<$r>)? {
            fn encode_by_ref(
                &self,
                buffer: &mut sqlx::postgres::PgArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let mut record = sqlx::postgres::types::PgRecordEncoder::new(buffer);
                $(record.encode(&self.$field)?;)*
                record.finish();
                Ok(sqlx::encode::IsNull::No)
            }
        }
    };
}

pub(super) use row_sent;

#[cfg(test)]
mod tests {
    use crate::rows::{
        actions, children, inbox, log, messages, open, outbox, people, pictures, renamed, search,
        syncs,
    };

    const SCHEMA: [&str; 9] = [
        include_str!("../../migrations/0003_rows_sent.sql"),
        include_str!("../../migrations/0004_send.sql"),
        include_str!("../../migrations/0005_start.sql"),
        include_str!("../../migrations/0007_history.sql"),
        include_str!("../../migrations/0009_people.sql"),
        include_str!("../../migrations/0010_pictures.sql"),
        include_str!("../../migrations/0012_hosted_links.sql"),
        include_str!("../../migrations/0013_complete_chats.sql"),
        include_str!("../../migrations/0015_members_told.sql"),
    ];
    /// Types that only older programs send.
    const RETIRED: [&str; 6] = [
        "message_row",
        "chat_row",
        "account_row",
        "attendee_row",
        "person_link_row",
        "chat_attendee_row",
    ];

    /// The types of the schema, with their attributes.
    fn created() -> Vec<(&'static str, Vec<&'static str>)> {
        let types = SCHEMA.iter().flat_map(|schema| schema.split("CREATE TYPE ").skip(1));
        types
            .map(|created| {
                let (name, attributes) = created.split_once(" AS (").unwrap();
                let attributes = attributes.trim_end().strip_suffix(");").unwrap().split(',');
                let name_of = |attribute: &'static str| {
                    attribute.split_whitespace().next().unwrap().trim_matches('"')
                };
                (name, attributes.map(name_of).collect())
            })
            .filter(|(name, _): &(&str, Vec<_>)| !RETIRED.contains(name))
            .collect()
    }

    /// The server checks the number and the kinds of attributes: two of one kind that changed places
    /// would go unnoticed.
    #[test]
    fn what_is_sent_has_the_attributes_of_the_schema_in_their_order() {
        let sent = [
            inbox::Payload::SENT,
            inbox::NewState::SENT,
            log::End::SENT,
            log::Change::SENT,
            search::WordsRow::SENT,
            children::FileRow::SENT,
            children::ReactionRow::SENT,
            children::VersionRow::SENT,
            children::ParkedRow::SENT,
            log::WorkRow::SENT,
            messages::MessageRow::SENT,
            people::ChatRow::SENT,
            actions::ActionRow::SENT,
            outbox::JobRow::SENT,
            outbox::PacingRow::SENT,
            outbox::HeldRow::SENT,
            messages::KeyRow::SENT,
            renamed::AliasRow::SENT,
            renamed::GoneChatRow::SENT,
            syncs::SyncRow::SENT,
            syncs::SyncChatRow::SENT,
            syncs::CompleteRow::SENT,
            people::AttendeeRow::SENT,
            people::LinkRow::SENT,
            people::MemberRow::SENT,
            pictures::PictureRow::SENT,
            open::Updated::SENT,
            syncs::CompleteChatRow::SENT,
            people::ToldRow::SENT,
        ];
        let sent = sent.map(|(name, attributes)| (name, attributes.to_vec()));
        assert_eq!(sent.to_vec(), created());
    }
}
