//! The papers as their users meet them: whole, edited, reformatted, truncated and damaged.

mod damage;
mod decision;
mod frames;
mod image_plan;
mod journal;
mod lines;
mod narrowed;
mod old_formats;
mod order;
mod plan;
mod receipt;
mod reflink;
mod sample;
mod schema;
mod sections;
