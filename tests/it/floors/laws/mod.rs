//! The laws themselves: a file each, with its table, and with planted faults that show that it bites.

mod acts;
mod circles;
mod doors;
mod folders;
mod guest_forms;
mod privileges;
mod rooms;
mod single_callers;
mod sizes;
mod subjects;
mod type_names;
