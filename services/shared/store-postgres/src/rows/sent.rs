//! Rows as they are sent to the server.

/// Declares a row whose fields are the attributes of a composite type of the schema, in its order.
///
/// What sqlx derives for such types has no place for borrowed fields.
macro_rules! row_sent {
    ($type_name:literal, struct $row:ident $(<$r:lifetime>)? { $($field:ident: $kind:ty,)* }) => {
        struct $row $(<$r>)? { $($field: $kind,)* }

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
