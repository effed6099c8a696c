//! Plans and package databases as text.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use unify::internals::parse_as;
use unify::plan::{Action, GuestPath, Header, PlannedGuest, Summary};
use unify::plan::{Closing, Encoded, Form, PlanReader, PlanWriter};

/// Lines of the plans.
const LINES: usize = 20_000;

/// Lines that are encoded at a time.
const STRETCH: usize = 256;

/// A plan of link lines, made of one of the README's.
struct Sample {
    header: Header,
    guests: Vec<PlannedGuest>,
    actions: Vec<Action>,
    summary: Summary,
}

fn sample() -> Sample {
    let text = include_str!("../../examples/plans/two-guests.json");
    let mut reader = PlanReader::open(text.as_bytes()).unwrap();
    let (header, guests) = (reader.header().clone(), reader.guests().to_vec());
    let mut link = None;
    while let Some((_, line)) = reader.next_action().unwrap() {
        match line.action {
            Action::Link(found) if link.is_none() => link = Some(found),
            _ => {}
        }
    }
    let link = link.unwrap();
    let action = |n: usize| {
        let mut link = link.clone();
        link.path = GuestPath::new(format!("/usr/share/{n:08}").as_bytes()).unwrap();
        link.also = Vec::new();
        if let Some(before) = &mut link.before {
            before.nlink = 1;
        }
        Action::Link(link)
    };
    Sample {
        header,
        guests,
        actions: (0..LINES).map(action).collect(),
        summary: reader.finish().unwrap().summary,
    }
}

fn write(sample: &Sample, form: Form) -> Vec<u8> {
    let mut text = Vec::new();
    let mut plan = PlanWriter::new(&mut text, form, &sample.header, &sample.guests).unwrap();
    for some in sample.actions.chunks(STRETCH) {
        plan.actions(Encoded::new(form, some).unwrap()).unwrap();
    }
    plan.finish(&sample.summary).unwrap();
    text
}

fn read(text: &[u8]) -> Closing {
    let mut plan = PlanReader::open(text).unwrap();
    let mut lines = 0;
    while plan.next_action().unwrap().is_some() {
        lines += 1;
    }
    assert_eq!(lines, LINES);
    plan.finish().unwrap()
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn plan_write(bencher: Bencher<'_, '_>) {
    let sample = sample();
    let bencher = bencher.counter(ItemsCount::new(LINES));
    bencher.bench(|| write(&sample, Form::Document));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn plan_read(bencher: Bencher<'_, '_>) {
    let text = write(&sample(), Form::Document);
    let bencher = bencher.counter(ItemsCount::new(LINES));
    bencher.bench(|| read(&text));
}

/// A `status` of dpkg with 2,000 packages and two config files each, as a Debian desktop has.
fn dpkg_status() -> String {
    let package = |n: usize| {
        format!(
            "Package: sample-{n}\nStatus: install ok installed\nPriority: optional\nSection: libs\n\
             Installed-Size: 1234\nMaintainer: Sample <sample@example.invalid>\nArchitecture: amd64\n\
             Version: 1.2.{n}-1\nDepends: libc6 (>= 2.36), sample-common (= 1.2.{n}-1)\nConffiles:\n \
             /etc/sample/{n}.conf 0123456789abcdef0123456789abcdef\n \
             /etc/default/sample-{n} fedcba9876543210fedcba9876543210\nDescription: sample\n \
             A package as there are many.\n\n"
        )
    };
    (0..2_000).map(package).collect()
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn parse_dpkg(bencher: Bencher<'_, '_>) {
    let status = dpkg_status();
    let bencher = bencher.counter(BytesCount::new(status.len()));
    bencher.bench(|| parse_as("dpkg", status.as_bytes()).unwrap().unwrap());
}

#[divan::bench(sample_count = 100, sample_size = 1)]
fn parse_apk(bencher: Bencher<'_, '_>) {
    let installed = include_bytes!("../data/guests/apk/root/lib/apk/db/installed");
    let bencher = bencher.counter(BytesCount::new(installed.len()));
    bencher.bench(|| parse_as("apk", installed).unwrap().unwrap());
}
