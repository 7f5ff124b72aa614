//! Small drawings, inline, in the colour of the text around them.

use view::model::Look;
use yew::prelude::*;

/// A path in a square of 16.
fn drawing(size: u32, path: &'static str, filled: bool) -> Html {
    let (fill, stroke) = if filled { ("currentColor", "none") } else { ("none", "currentColor") };
    html! {
        <svg width={size.to_string()} height={size.to_string()} viewBox="0 0 16 16" aria-hidden="true" fill={fill} stroke={stroke}
            stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
            <path d={path} />
        </svg>
    }
}

pub fn icon(name: &str) -> Html {
    let (path, filled) = match name {
        "pause" => ("M4.5 3h2.6v10H4.5zM9 3h2.6v10H9z", true),
        "play" => ("M4.5 2.8v10.4L13 8z", true),
        "step" => ("M3 3v10l6.5-5zM11 3h2v10h-2z", true),
        "next" => ("M2 3.2v9.6L7.3 8zM7.3 3.2v9.6L12.6 8zM12.6 3H14v10h-1.4z", true),
        "more" => ("M8 3.2v.01M8 8v.01M8 12.8v.01", false),
        "close" => ("M4 4l8 8M12 4l-8 8", false),
        "down" => ("M4 6l4 4 4-4", false),
        "plus" => ("M8 3v10M3 8h10", false),
        "share" => ("M8 10V2.5M5 5l3-3 3 3M3 9v4.5h10V9", false),
        "theme" => ("M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12", false),
        "table" => ("M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6", false),
        "cards" => ("M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z", false),
        "tree" => ("M2.5 3.5h4v3h-4zM9.5 6.5h4v3h-4zM9.5 11h4v3h-4zM4.5 6.5v6h5M4.5 8h5", false),
        "gear" => (
            "M8 5.6a2.4 2.4 0 1 0 .01 0M8 2v2M8 12v2M2 8h2M12 8h2M3.8 3.8l1.4 1.4M10.8 10.8l1.4 1.4M3.8 12.2l1.4-1.4M10.8 5.2l1.4-1.4",
            false,
        ),
        "right" => ("M6 4l4 4-4 4", false),
        "copy" => ("M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3", false),
        "stop" => ("M4 4h8v8H4z", true),
        "eraser" => ("M3 12.5h10M4 9l5-5.5 4 3.5-5 5.5H6.5z", false),
        "lock" => ("M4.5 7.5h7v6h-7zM6 7.5V5a2 2 0 0 1 4 0v2.5", false),
        "tall" => ("M3 10l5-5 5 5", false),
        "low" => ("M3 6l5 5 5-5", false),
        "file" => ("M4 2h5.5L12.5 5v9H4zM9.5 2v3h3", false),
        "cluster" => ("M8 1.8l5.4 3.1v6.2L8 14.2l-5.4-3.1V4.9z", false),
        "list" => ("M3 4h10M3 8h10M3 12h7", false),
        "console" => ("M3 4.5L6.5 8 3 11.5M8 12h5", false),
        _ => ("", false),
    };
    drawing(16, path, filled)
}

/// A hull on blocks.
pub fn logo() -> Html {
    html! {
        <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2"
            stroke-linecap="round" stroke-linejoin="round">
            <path d="M2.5 5.5v14h19v-14M6.5 10h11l-2.2 5.5H8.7zM12 10V4.5l3.5 3" />
        </svg>
    }
}

/// What kind of controller a pod belongs to.
pub fn glyph(owner_kind: &str) -> Html {
    let (path, filled) = match owner_kind {
        "DaemonSet" => ("M8 2l5.2 3v6L8 14l-5.2-3V5z", false),
        "ReplicaSet" | "Deployment" | "ReplicationController" => ("M3 3h10v10H3zM3 6.4h10M3 9.7h10", false),
        "StatefulSet" => ("M3 3h10v10H3zM8 3v10M3 8h10", false),
        "Service" => (
            "M3.5 8a2 2 0 1 0 .01 0M12.5 5a1.8 1.8 0 1 0-.01 0M12.5 14.5a1.8 1.8 0 1 0-.01 0M5.4 8.8l5.4-4M5.4 10.6l5.4 2",
            false,
        ),
        "Job" | "CronJob" => ("M8 2.2a5.8 5.8 0 1 0 .01 0M8 5v3.2l2.2 1.6", false),
        _ => ("M8 4.5a3.5 3.5 0 1 0 .01 0", true),
    };
    drawing(14, path, filled)
}

/// What a chip shows at its end beside the fill; nothing for what needs no attention.
pub fn look_mark(look: &Look) -> Html {
    let path = match look {
        Look::Creating => "M8 2.5a5.5 5.5 0 0 1 5.5 5.5",
        Look::Unready => "M8 2.5a5.5 5.5 0 0 1 0 11",
        Look::Terminating => "M3.5 8h9",
        Look::Failed => "M4 4l8 8M12 4l-8 8",
        Look::Looping => "M12.8 6.2A5.2 5.2 0 1 0 13 9.5M13.4 2.8v3.6H9.8",
        Look::Succeeded => "M3.5 8.5l3 3 6-7",
        Look::Lost => "M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1v.4M8 12v.01",
        Look::Pending => "M8 4.5V8l2.2 1.6M8 2.2a5.8 5.8 0 1 0 .01 0",
        Look::Ready => return html! {},
    };
    let ring = matches!(look, Look::Creating | Look::Unready);
    html! {
        <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2"
            stroke-linecap="round" stroke-linejoin="round">
            if ring { <circle cx="8" cy="8" r="5.5" stroke-opacity="0.25" /> }
            <path d={path} />
        </svg>
    }
}
