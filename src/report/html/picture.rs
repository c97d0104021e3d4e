//! One occurrence as a picture: streams as lanes, launches as boxes with the numbers of the table below it.

use maud::{Markup, html};

use crate::report::{OccurrenceInfo, cells};

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 76.0;
const LANE: f64 = 30.0;
const BOX: f64 = 20.0;
/// A number needs this much room.
const NUMBER: f64 = 16.0;

/// The picture.
pub(super) fn lanes(info: &OccurrenceInfo) -> Markup {
    let mut streams: Vec<i64> = info.launches.iter().map(|launch| launch.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    let ends = info.launches.iter().map(|launch| launch.start_us + launch.dur_us);
    let (start, end) =
        (info.launches.iter().map(|launch| launch.start_us).fold(0.0, f64::min), ends.fold(0.0, f64::max));
    let scale = (WIDTH - MARGIN - 1.0) / (end - start).max(0.001);
    let x = |us: f64| MARGIN + (us - start) * scale;
    let height = LANE * streams.len() as f64 + 16.0;
    let mut free = vec![0.0; streams.len()];
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
                @for (n, launch) in info.launches.iter().enumerate() {
                    @let lane = streams.iter().position(|stream| *stream == launch.stream).unwrap_or(0);
                    @let (left, width) = (x(launch.start_us), (launch.dur_us * scale).max(2.0));
                    @let y = LANE * lane as f64 + 5.0;
                    rect class={ "role " (launch.role) } x=(px(left)) y=(y) width=(px(width)) height=(BOX) rx="2" {}
                    @if width >= NUMBER && left >= free[lane] {
                        text.number x=(px(left + width / 2.0)) y=(y + 14.0) text-anchor="middle" { (n + 1) }
                        @let _ = { free[lane] = left + width };
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
