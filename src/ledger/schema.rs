//! The manuals of the formats, as JSON Schema (draft 2020-12), for `unify schema` and for tests.

/// Describes a plan in the form of a document.
pub const PLAN_SCHEMA: &str = include_str!("../../schemas/plan-1.schema.json");

/// Describes an image plan in the form of a document.
pub const IMAGE_PLAN_SCHEMA: &str = include_str!("../../schemas/image-plan-1.schema.json");

/// Describes one line of a receipt.
pub const RECEIPT_SCHEMA: &str = include_str!("../../schemas/receipt-1.schema.json");

/// The `$id` of [`PLAN_SCHEMA`], which stands in every plan as `$schema`.
pub const PLAN_SCHEMA_ID: &str = "urn:unify:schema:plan:1";

/// The `$id` of [`IMAGE_PLAN_SCHEMA`], which stands in every image plan as `$schema`.
pub const IMAGE_PLAN_SCHEMA_ID: &str = "urn:unify:schema:image-plan:1";
