//! The papers as their users meet them: whole, edited, reformatted, truncated and damaged.

mod damage;
mod frames;
mod journal;
mod lines;
mod old_formats;
mod order;
mod plan;
mod receipt;
mod sample;
mod schema;
mod sections;
