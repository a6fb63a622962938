//! The icons, drawn with lines on a grid of 24 by 24, so that they are sharp at every zoom and take any colour.

use eframe::egui::{Color32, Painter, Pos2, Rect, Stroke, pos2, vec2};

/// A picture for a button, a row of the navigation, or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Peer,
    Coordinator,
    Trackers,
    Index,
    Statistics,
    Lab,
    Settings,
    Log,
    Upload,
    Download,
    Pause,
    Resume,
    Remove,
    Folder,
    File,
    Link,
    Save,
    Recheck,
    Search,
    Close,
    Check,
    Warning,
    Info,
    Columns,
    Window,
    More,
}

/// Strokes of an icon: lines through points of the grid, and circles given by centre and radius.
struct Drawing {
    lines: &'static [&'static [(f32, f32)]],
    circles: &'static [(f32, f32, f32)],
}

const fn lines(lines: &'static [&'static [(f32, f32)]]) -> Drawing {
    Drawing { lines, circles: &[] }
}

impl Icon {
    fn drawing(self) -> Drawing {
        match self {
            Self::Peer => lines(&[
                &[(8.0, 20.0), (8.0, 4.0)],
                &[(4.0, 8.0), (8.0, 4.0), (12.0, 8.0)],
                &[(16.0, 4.0), (16.0, 20.0)],
                &[(12.0, 16.0), (16.0, 20.0), (20.0, 16.0)],
            ]),
            Self::Coordinator => Drawing {
                lines: &[
                    &[(12.0, 9.0), (12.0, 7.0)],
                    &[(9.6, 13.8), (7.0, 16.0)],
                    &[(14.4, 13.8), (17.0, 16.0)],
                ],
                circles: &[(12.0, 12.0, 3.0), (12.0, 4.5, 2.2), (5.2, 17.5, 2.2), (18.8, 17.5, 2.2)],
            },
            Self::Trackers => Drawing {
                lines: &[&[(12.0, 12.0), (18.0, 6.0)]],
                circles: &[(12.0, 12.0, 9.0), (12.0, 12.0, 4.5), (12.0, 12.0, 0.8)],
            },
            Self::Index => lines(&[
                &[(5.0, 4.0), (19.0, 4.0), (19.0, 20.0), (5.0, 20.0), (5.0, 4.0)],
                &[(9.0, 4.0), (9.0, 20.0)],
                &[(12.0, 9.0), (16.0, 9.0)],
                &[(12.0, 13.0), (16.0, 13.0)],
            ]),
            Self::Statistics => lines(&[
                &[(4.0, 20.0), (20.0, 20.0)],
                &[(7.0, 20.0), (7.0, 12.0)],
                &[(12.0, 20.0), (12.0, 5.0)],
                &[(17.0, 20.0), (17.0, 9.0)],
            ]),
            Self::Lab => lines(&[
                &[(8.5, 3.5), (15.5, 3.5)],
                &[(10.0, 3.5), (10.0, 10.0), (5.0, 20.5), (19.0, 20.5), (14.0, 10.0), (14.0, 3.5)],
                &[(7.5, 15.5), (16.5, 15.5)],
            ]),
            Self::Settings => Drawing {
                lines: &[
                    &[(4.0, 7.0), (12.5, 7.0)],
                    &[(17.5, 7.0), (20.0, 7.0)],
                    &[(4.0, 17.0), (6.5, 17.0)],
                    &[(11.5, 17.0), (20.0, 17.0)],
                ],
                circles: &[(15.0, 7.0, 2.5), (9.0, 17.0, 2.5)],
            },
            Self::Log => lines(&[
                &[(4.0, 6.0), (20.0, 6.0)],
                &[(4.0, 10.0), (16.0, 10.0)],
                &[(4.0, 14.0), (20.0, 14.0)],
                &[(4.0, 18.0), (13.0, 18.0)],
            ]),
            Self::Upload => lines(&[
                &[(12.0, 15.0), (12.0, 4.0)],
                &[(7.0, 9.0), (12.0, 4.0), (17.0, 9.0)],
                &[(4.0, 15.0), (4.0, 20.0), (20.0, 20.0), (20.0, 15.0)],
            ]),
            Self::Download => lines(&[
                &[(12.0, 4.0), (12.0, 15.0)],
                &[(7.0, 10.0), (12.0, 15.0), (17.0, 10.0)],
                &[(4.0, 15.0), (4.0, 20.0), (20.0, 20.0), (20.0, 15.0)],
            ]),
            Self::Pause => lines(&[&[(8.0, 5.0), (8.0, 19.0)], &[(16.0, 5.0), (16.0, 19.0)]]),
            Self::Resume => lines(&[&[(7.0, 4.5), (19.0, 12.0), (7.0, 19.5), (7.0, 4.5)]]),
            Self::Remove => lines(&[
                &[(4.0, 6.5), (20.0, 6.5)],
                &[(9.0, 6.5), (9.0, 3.5), (15.0, 3.5), (15.0, 6.5)],
                &[(6.0, 6.5), (7.0, 20.5), (17.0, 20.5), (18.0, 6.5)],
                &[(10.0, 10.5), (10.0, 16.5)],
                &[(14.0, 10.5), (14.0, 16.5)],
            ]),
            Self::Folder => lines(&[&[
                (3.0, 19.0),
                (3.0, 5.0),
                (9.5, 5.0),
                (12.0, 8.0),
                (21.0, 8.0),
                (21.0, 19.0),
                (3.0, 19.0),
            ]]),
            Self::File => lines(&[
                &[(6.0, 3.0), (14.0, 3.0), (18.5, 7.5), (18.5, 21.0), (6.0, 21.0), (6.0, 3.0)],
                &[(14.0, 3.0), (14.0, 7.5), (18.5, 7.5)],
            ]),
            Self::Link => lines(&[
                &[(10.0, 7.0), (6.5, 7.0), (3.0, 12.0), (6.5, 17.0), (10.0, 17.0)],
                &[(14.0, 7.0), (17.5, 7.0), (21.0, 12.0), (17.5, 17.0), (14.0, 17.0)],
                &[(8.5, 12.0), (15.5, 12.0)],
            ]),
            Self::Save => lines(&[
                &[(4.0, 4.0), (16.0, 4.0), (20.0, 8.0), (20.0, 20.0), (4.0, 20.0), (4.0, 4.0)],
                &[(8.0, 4.0), (8.0, 9.0), (15.0, 9.0), (15.0, 4.0)],
                &[(8.0, 20.0), (8.0, 14.0), (16.0, 14.0), (16.0, 20.0)],
            ]),
            Self::Recheck => lines(&[
                &[(20.0, 4.0), (20.0, 9.0), (15.0, 9.0)],
                &[
                    (20.0, 9.0),
                    (17.5, 6.0),
                    (14.0, 4.3),
                    (10.0, 4.3),
                    (6.5, 6.2),
                    (4.3, 9.8),
                    (4.3, 14.2),
                    (6.5, 17.8),
                    (10.0, 19.7),
                    (14.0, 19.7),
                    (17.5, 17.8),
                    (19.3, 15.0),
                ],
            ]),
            Self::Search => {
                Drawing { lines: &[&[(15.5, 15.5), (20.5, 20.5)]], circles: &[(10.5, 10.5, 6.5)] }
            }
            Self::Close => lines(&[&[(6.0, 6.0), (18.0, 18.0)], &[(18.0, 6.0), (6.0, 18.0)]]),
            Self::Check => lines(&[&[(4.5, 12.5), (9.5, 17.5), (19.5, 6.5)]]),
            Self::Warning => Drawing {
                lines: &[
                    &[(12.0, 3.5), (21.5, 20.0), (2.5, 20.0), (12.0, 3.5)],
                    &[(12.0, 9.5), (12.0, 14.0)],
                ],
                circles: &[(12.0, 17.0, 0.6)],
            },
            Self::Info => Drawing {
                lines: &[&[(12.0, 11.0), (12.0, 17.0)]],
                circles: &[(12.0, 12.0, 9.0), (12.0, 7.5, 0.6)],
            },
            Self::Columns => lines(&[
                &[(3.5, 5.0), (20.5, 5.0), (20.5, 19.0), (3.5, 19.0), (3.5, 5.0)],
                &[(9.2, 5.0), (9.2, 19.0)],
                &[(14.8, 5.0), (14.8, 19.0)],
            ]),
            Self::Window => lines(&[
                &[(9.0, 4.0), (4.0, 4.0), (4.0, 20.0), (20.0, 20.0), (20.0, 15.0)],
                &[(13.0, 4.0), (20.0, 4.0), (20.0, 11.0)],
                &[(20.0, 4.0), (11.0, 13.0)],
            ]),
            Self::More => {
                Drawing { lines: &[], circles: &[(5.5, 12.0, 0.8), (12.0, 12.0, 0.8), (18.5, 12.0, 0.8)] }
            }
        }
    }

    /// Draws it into the middle of a rectangle.
    pub(crate) fn paint(self, painter: &Painter, rect: Rect, color: Color32) {
        let side = rect.width().min(rect.height());
        let scale = side / 24.0;
        let origin = rect.center() - vec2(side, side) / 2.0;
        let at = |(x, y): (f32, f32)| -> Pos2 { pos2(origin.x + x * scale, origin.y + y * scale) };
        let stroke = Stroke::new((side / 12.0).max(1.25), color);
        let drawing = self.drawing();
        for line in drawing.lines {
            painter.line(line.iter().copied().map(at).collect(), stroke);
        }
        for &(x, y, radius) in drawing.circles {
            if radius < 1.0 {
                painter.circle_filled(at((x, y)), (radius * scale).max(1.0) + 0.4, color);
            } else {
                painter.circle_stroke(at((x, y)), radius * scale, stroke);
            }
        }
    }
}
