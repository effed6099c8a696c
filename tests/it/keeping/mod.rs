//! What is shared stays protected, and everybody is told what the world has done to it meanwhile.

mod between_two_nights;
mod forget;
mod lost_receipts;
mod orphans;
mod protection;
mod restored_bases;
