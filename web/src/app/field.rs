//! Very many nodes: a canvas on which a square is a node and its colour the worst state on it.

use std::rc::Rc;

use view::board::Cell;
use view::model::{Look, NodeState, Ref};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};
use yew::prelude::*;

use crate::act::Act;

/// A square and the space after it, in pixels of the page: the more nodes, the smaller.
fn pitch(n: usize) -> u32 {
    match n {
        0..=400 => 26,
        401..=1_600 => 18,
        _ => 12,
    }
}

/// The space between two squares.
const SPACE: u32 = 2;

#[derive(Properties, PartialEq)]
pub struct FieldProps {
    pub cells: Rc<Vec<Rc<Cell>>>,
    /// The colours are those of the page.
    pub is_dark: bool,
    pub on: Callback<Act>,
}

#[component]
pub fn Field(props: &FieldProps) -> Html {
    let FieldProps { cells, is_dark, on } = props;
    let canvas = use_node_ref();
    {
        let canvas = canvas.clone();
        use_effect_with((cells.clone(), *is_dark), move |(cells, _)| {
            if let Some(canvas) = canvas.cast::<HtmlCanvasElement>() {
                // Without a canvas there is still the table.
                draw(&canvas, cells).ok();
            }
        });
    }
    let onclick = {
        let (canvas, cells, on) = (canvas.clone(), cells.clone(), on.clone());
        Callback::from(move |event: MouseEvent| {
            let Some(canvas) = canvas.cast::<HtmlCanvasElement>() else { return };
            let pitch = pitch(cells.len());
            let column = u32::try_from(event.offset_x()).unwrap_or(0) / pitch;
            let row = u32::try_from(event.offset_y()).unwrap_or(0) / pitch;
            let idx = row * columns(&canvas, pitch) + column;
            if let Some(cell) = cells.get(idx as usize) {
                on.emit(Act::Open { target: Ref::new("Node", "", &cell.node.name), x: event.client_x() });
            }
        })
    };
    let bad = cells.iter().filter(|it| it.node.state != NodeState::Ready).count();
    let label = format!("{} nodes, {bad} of them not ready. The table shows them one by one.", cells.len());
    html! { <div class="field-of-nodes"><canvas ref={canvas} role="img" aria-label={label} {onclick} /></div> }
}

fn columns(canvas: &HtmlCanvasElement, pitch: u32) -> u32 {
    (u32::try_from(canvas.parent_element().map_or(0, |it| it.client_width())).unwrap_or(0) / pitch).max(1)
}

fn draw(canvas: &HtmlCanvasElement, cells: &[Rc<Cell>]) -> Result<(), JsValue> {
    let pitch = pitch(cells.len());
    let columns = columns(canvas, pitch);
    let rows = u32::try_from(cells.len()).unwrap_or(u32::MAX).div_ceil(columns);
    canvas.set_width(columns * pitch);
    canvas.set_height(rows * pitch);
    let Some(context) = canvas.get_context("2d")?.and_then(|it| it.dyn_into::<CanvasRenderingContext2d>().ok()) else {
        return Ok(());
    };
    let window = web_sys::window().ok_or("no window")?;
    let root = window.document().and_then(|it| it.document_element()).ok_or("no document")?;
    let style = window.get_computed_style(&root)?.ok_or("no style")?;
    let colour = |name: &str| style.get_property_value(name).unwrap_or_default();
    let [bad, warn, ok, idle, off] = ["--bad", "--warn", "--ok", "--line", "--edge"].map(colour);
    for (idx, cell) in (0..).zip(cells) {
        let worst = cell.pods.iter().map(|it| it.look.badness()).max();
        let colour = match (&cell.node.state, worst) {
            (NodeState::Off, _) => &off,
            (NodeState::NotReady | NodeState::Unknown, _) => &bad,
            (_, None) => &idle,
            (_, Some(it)) if it >= Look::Lost.badness() => &bad,
            (_, Some(it)) if it > Look::Ready.badness() => &warn,
            _ => &ok,
        };
        context.set_fill_style_str(colour);
        let (x, y) = (idx % columns * pitch, idx / columns * pitch);
        context.fill_rect(f64::from(x), f64::from(y), f64::from(pitch - SPACE), f64::from(pitch - SPACE));
    }
    Ok(())
}
