//! One occurrence as a picture: streams as lanes, launches as boxes with the numbers of the table below it.

use maud::{Markup, html};

use crate::report::{OccurrenceInfo, cells};

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 76.0;
const LANE: f64 = 30.0;
const BOX: f64 = 20.0;
/// A number needs this much room.
const NUMBER: f64 = 16.0;

/// A launch as it is drawn.
struct Shape<'a> {
    left: f64,
    width: f64,
    top: f64,
    role: &'a str,
}

/// The picture.
pub(super) fn lanes(info: &OccurrenceInfo) -> Markup {
    let mut streams: Vec<i64> = info.launches.iter().map(|launch| launch.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    let ends = info.launches.iter().map(|launch| launch.start_us + launch.dur_us);
    let (start, end) =
        (info.launches.iter().map(|launch| launch.start_us).fold(0.0, f64::min), ends.fold(0.0, f64::max));
    let scale = (WIDTH - MARGIN - 1.0) / (end - start).max(0.001);
    let height = LANE * streams.len() as f64 + 16.0;
    let boxes: Vec<Shape> = (info.launches.iter())
        .map(|launch| Shape {
            left: MARGIN + (launch.start_us - start) * scale,
            width: (launch.dur_us * scale).max(2.0),
            top: LANE * streams.iter().position(|stream| *stream == launch.stream).unwrap_or(0) as f64 + 5.0,
            role: &launch.role,
        })
        .collect();
    html! {
        div.scroll.bare {
            svg.lanes width=(WIDTH) height=(height) viewBox={ "0 0 " (WIDTH) " " (height) } role="img"
                aria-label={ (info.launches.len()) " launches on " (cells::plural(streams.len() as u64, "stream"))
                    ", as in the table after it" } {
                @for (lane, stream) in streams.iter().enumerate() {
                    @let y = LANE * lane as f64 + 5.0;
                    text x="0" y=(y + 14.0) { "stream " (stream) }
                    line.rule x1=(MARGIN) x2=(WIDTH) y1=(y + BOX / 2.0) y2=(y + BOX / 2.0) {}
                }
                @for (n, one) in boxes.iter().enumerate() {
                    rect class={ "role " (one.role) } x=(px(one.left)) y=(one.top) width=(px(one.width)) height=(BOX) rx="2" {}
                    @if one.width >= NUMBER {
                        text.number x=(px(one.left + one.width / 2.0)) y=(one.top + 14.0) text-anchor="middle" { (n + 1) }
                    }
                }
                text x=(MARGIN) y=(height - 2.0) { (cells::time(start)) }
                text x=(WIDTH) y=(height - 2.0) text-anchor="end" { (cells::time(end)) }
            }
        }
    }
}

fn px(at: f64) -> String {
    format!("{at:.1}")
}
