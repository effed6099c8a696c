//! Guests and images are opened, as long as this process may do so; nothing of them is read yet.

use std::path::{Path, PathBuf};

use super::OpenedGuest;
use crate::base::Base;
use crate::engine::activity::base::shared;
use crate::engine::error::BadUse;
use crate::engine::planning::choices::check::check_guests;
use crate::engine::planning::options::PlanOptions;
use crate::engine::sources::{OpenImage, open_images};
use crate::engine::{EngineError, Guest, guest};
use crate::model::{Event, GuestName, Observer, Protect};

/// Where no plan may lie.
pub(in crate::engine::planning) fn places<'g>(
    guests: &'g [Guest],
    images: &'g [OpenImage],
    base: Option<&'g Path>,
) -> Vec<&'g Path> {
    let roots = guests.iter().map(|guest| guest.path.as_path());
    let files = images.iter().map(|image| image.identity.path.as_path());
    roots.chain(files).chain(base).collect()
}

/// Opens the guests, and refuses choices about others.
pub(in crate::engine::planning) fn open_guests(
    options: &PlanOptions,
    base_path: Option<&Path>,
) -> Result<(Vec<Guest>, Vec<OpenImage>), EngineError> {
    let guests = guest::open_all(&options.guests, base_path)?;
    let images = open_images(&options.images)?;
    let known = guests.iter().map(|guest| (&guest.name, &guest.path));
    let images_known = images
        .iter()
        .map(|image| (&image.identity.name, &image.identity.path));
    let mut known: Vec<(&GuestName, &PathBuf)> = known.chain(images_known).collect();
    known.sort();
    if let Some(pair) = known.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(BadUse::SameName {
            name: pair[0].0.clone(),
            one: pair[0].1.clone(),
            other: pair[1].1.clone(),
        }
        .into());
    }
    let names: Vec<&GuestName> = known.into_iter().map(|(name, _)| name).collect();
    check_guests(&options.policy, &names)?;
    Ok((guests, images))
}

/// Opens the views of the guests. Until here no byte of a guest was read.
pub(in crate::engine::planning) fn open_views(
    guests: Vec<Guest>,
    images: Vec<OpenImage>,
    base: Option<&Base>,
    mode: Protect,
    observer: &dyn Observer,
) -> Result<Vec<OpenedGuest>, EngineError> {
    let (mut opened, in_others_hands) = OpenedGuest::all(guests, base)?;
    if let Some(why) = in_others_hands {
        observer.notice(&Event::Warning(&shared(&why)));
    }
    if mode == Protect::Immutable {
        OpenedGuest::look_for_clearers(&mut opened, observer);
    }
    opened.extend(images.into_iter().map(OpenedGuest::image));
    opened.sort_by(|a, b| a.guest.name.cmp(&b.guest.name));
    Ok(opened)
}
