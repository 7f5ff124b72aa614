//! What applying the manifest would change of what is there: a unified diff for each document.

use std::rc::Rc;

use view::clock::grouped;
use web::{Difference, Problem, Verdict};
use yew::prelude::*;

use crate::act::Act;

#[derive(Properties, PartialEq)]
pub struct CompareProps {
    /// `None` until the engine has answered.
    pub found: Option<Rc<Compared>>,
    pub on: Callback<Act>,
}

/// What the engine has found, document by document, or why the text cannot be read.
#[derive(PartialEq, Debug)]
pub struct Compared {
    pub found: Vec<Difference>,
    pub problem: Option<Problem>,
}

#[component]
pub fn Compare(props: &CompareProps) -> Html {
    let CompareProps { found, on } = props;
    let body = match found.as_deref() {
        None => html! { <p class="hint">{ "The server is asked what it would make of this manifest." }</p> },
        Some(Compared { problem: Some(problem), .. }) => html! {
            <p class="unreadable mono">{ format!("{}:{} {}", problem.line, problem.column, problem.message) }</p>
        },
        Some(Compared { found, .. }) if found.is_empty() => {
            html! { <p class="hint">{ "The manifest names nothing." }</p> }
        }
        Some(Compared { found, .. }) => found.iter().map(|it| document(it, on)).collect(),
    };
    html! {
        <div class="compare" data-testid="compare" tabindex="0" role="region" aria-label="What applying would change">{ body }</div>
    }
}

fn document(it: &Difference, on: &Callback<Act>) -> Html {
    let Difference { target, line, verdict, text } = it;
    let signs = |sign: char| text.lines().filter(|it| it.starts_with(sign)).count() as u64;
    let (class, words) = match verdict {
        Verdict::Same => ("same", "as it is there".to_owned()),
        Verdict::Differs => ("differs", format!("−{} +{}", grouped(signs('-')), grouped(signs('+')))),
        Verdict::New => ("new", "not there yet: Apply makes it".to_owned()),
        Verdict::Refused => ("refused", "the server refuses it".to_owned()),
    };
    let goto = {
        let (on, line) = (on.clone(), *line);
        Callback::from(move |_: MouseEvent| {
            on.emit(Act::Compare);
            on.emit(Act::GoTo { line, column: 1 });
        })
    };
    html! {
        <section class={classes!("document", class)} data-testid="compare-document" data-kind={target.kind.clone()} data-name={target.name.clone()} data-verdict={class}>
            <h3>
                <button type="button" class="link" title="To this document in the manifest" onclick={goto}>
                    { target.kind.clone() }{ " " }<span class="mono">{ target.name.clone() }</span>
                </button>
                <span class="word">{ words }</span>
            </h3>
            if *verdict == Verdict::Refused {
                <p class="refused mono">{ text.clone() }</p>
            } else if !text.is_empty() {
                <div class="diff lines">{ for text.lines().map(line_of) }</div>
            }
        </section>
    }
}

/// Longer lines that stay as they are take no more than one line of the page.
const CONTEXT_BYTES_MAX: usize = 160;

/// A line of a unified diff; what only looks different is also said by its sign.
fn line_of(line: &str) -> Html {
    let class = match line.as_bytes().first() {
        Some(b'+') => "come",
        Some(b'-') => "gone",
        Some(b'@') => "place",
        // Above all what was applied last, which stands in an annotation.
        _ if line.len() > CONTEXT_BYTES_MAX => "cut",
        _ => "",
    };
    html! { <div {class}>{ line.to_owned() }</div> }
}
