//! In which forms the answer is written, and where.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::voice::tell_fitted;
use crate::model::CheckOutcome;
use crate::report::findings::{FindingsForm, github, gitlab, json, junit, markdown, sarif, text};
use crate::report::words::list::ListLimits;

/// A form, and the file that it goes to, if it is one.
#[derive(Debug, Clone)]
pub(super) struct WantedForm {
    form: FindingsForm,
    file: Option<PathBuf>,
}

/// `sarif`, or `sarif=FILE`.
pub(super) fn wanted(text: &str) -> Result<WantedForm, String> {
    let (form, file) = match text.split_once('=') {
        Some((form, file)) => (form, Some(PathBuf::from(file))),
        None => (text, None),
    };
    if file
        .as_ref()
        .is_some_and(|file| file.as_os_str().is_empty())
    {
        return Err("expected FORM=FILE".to_owned());
    }
    let form = match form {
        "text" => FindingsForm::Text,
        "json" => FindingsForm::Json,
        "sarif" => FindingsForm::Sarif,
        "junit" => FindingsForm::Junit,
        "github" => FindingsForm::Github,
        "gitlab" => FindingsForm::Gitlab,
        "markdown" => FindingsForm::Markdown,
        _ => {
            return Err("expected text, json, sarif, junit, github, gitlab or markdown".to_owned());
        }
    };
    Ok(WantedForm { form, file })
}

/// Everything that is written.
pub(super) struct Forms {
    printed: FindingsForm,
    in_files: Vec<(FindingsForm, PathBuf)>,
}

impl Forms {
    /// At most one form is printed: text, if none is named.
    pub(super) fn of(wanted: &[WantedForm], json: bool) -> Result<Forms, Failure> {
        let printed = wanted.iter().filter(|wanted| wanted.file.is_none());
        let mut printed: Vec<FindingsForm> = printed.map(|wanted| wanted.form).collect();
        printed.extend(json.then_some(FindingsForm::Json));
        printed.dedup();
        if printed.len() > 1 {
            let why =
                "one form is printed: give the others a file, as in --format sarif=check.sarif";
            return Err(Failure::Usage(why.into()));
        }
        let files = wanted.iter();
        let files = files.filter_map(|wanted| Some((wanted.form, wanted.file.clone()?)));
        Ok(Forms {
            printed: printed.pop().unwrap_or_default(),
            in_files: files.collect(),
        })
    }

    /// The files, by their numbers.
    pub(super) fn files(&self) -> impl Iterator<Item = (usize, &Path)> {
        let files = self.in_files.iter().enumerate();
        files.map(|(number, (_, path))| (number, path.as_path()))
    }

    /// What a file holds.
    pub(super) fn in_file(&self, number: usize, checked: &CheckOutcome) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some((form, _)) = self.in_files.get(number) {
            write(*form, checked, ListLimits::on(usize::MAX, true), &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Prints the answer.
    pub(super) fn print(&self, checked: &CheckOutcome, exit: Exit, all: bool) -> io::Result<()> {
        match self.printed {
            FindingsForm::Text => tell_fitted(exit, all, |listing, out| {
                write(FindingsForm::Text, checked, listing, out)
            }),
            form => write(
                form,
                checked,
                ListLimits::on(0, true),
                &mut io::stdout().lock(),
            ),
        }
    }
}

fn write(
    form: FindingsForm,
    checked: &CheckOutcome,
    listing: ListLimits,
    out: &mut dyn Write,
) -> io::Result<()> {
    match form {
        FindingsForm::Text => text::text(checked, listing, out),
        FindingsForm::Json => json::json(checked, out),
        FindingsForm::Sarif => sarif::sarif(checked, out),
        FindingsForm::Junit => junit::junit(checked, out),
        FindingsForm::Github => github::github(checked, out),
        FindingsForm::Gitlab => gitlab::gitlab(checked, out),
        FindingsForm::Markdown => markdown::markdown(checked, out),
    }
}
