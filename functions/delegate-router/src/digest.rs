//! Digests: one mail about all notifications of a window, grouped, and limited in length. Pure.

mod category;
mod item;
mod render;
mod summary;

pub use category::DigestCategory;
pub use item::DigestItem;
pub use summary::Summary;
