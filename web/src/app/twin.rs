//! The cluster as a table: the same facts in words, for screen readers and for who likes tables.

use std::rc::Rc;

use view::board::Cell;
use view::model::{Ref, Why};
use yew::prelude::*;

use crate::act::Act;

#[derive(Properties, PartialEq)]
pub struct TwinProps {
    pub cells: Rc<Vec<Rc<Cell>>>,
    pub why: Option<Rc<Why>>,
    pub on: Callback<Act>,
}

#[component]
pub fn Twin(props: &TwinProps) -> Html {
    let TwinProps { cells, why, on } = props;
    html! {
        <table class="twin">
            <caption class="for-readers">{ "Nodes and the pods on them" }</caption>
            <thead>
                <tr>
                    <th scope="col">{ "Node" }</th>
                    <th scope="col">{ "State" }</th>
                    <th scope="col">{ "Taints" }</th>
                    <th scope="col">{ "Pods" }</th>
                    if why.is_some() { <th scope="col">{ "Why" }</th> }
                </tr>
            </thead>
            <tbody>{ for cells.iter().map(|cell| html! { <Row key={cell.node.name.clone()} cell={cell.clone()} why={why.clone()} on={on.clone()} /> }) }</tbody>
        </table>
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    cell: Rc<Cell>,
    why: Option<Rc<Why>>,
    on: Callback<Act>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let RowProps { cell, why, on } = props;
    let node = &cell.node;
    let onclick = {
        let (on, target) = (on.clone(), Ref::new("Node", "", &node.name));
        Callback::from(move |event: MouseEvent| on.emit(Act::Open { target: target.clone(), x: event.client_x() }))
    };
    let cordoned = if node.is_cordoned { ", cordoned" } else { "" };
    html! {
        <tr>
            <th scope="row"><button type="button" class="link mono" {onclick}>{ node.name.clone() }</button></th>
            <td>{ format!("{}{cordoned}", node.word) }</td>
            <td class="mono">{ node.taints.join(", ") }</td>
            <td class="mono">{ for cell.pods.iter().map(|it| html! { <div>{ format!("{} {}", it.name, it.word) }</div> }) }</td>
            if let Some(why) = why {
                <td>{ why.verdicts.iter().find(|it| it.node == node.name).map(|it| it.text.clone()).unwrap_or_default() }</td>
            }
        </tr>
    }
}
