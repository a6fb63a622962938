//! The window, the played session behind it, and a hand on the mouse and keyboard.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use eframe::egui::{self, Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _, by};
use egui_kittest::{Harness, Node};

use crate::api::Command;
use crate::gui::app::{App, Parts};
use crate::gui::clock;
use crate::gui::demo::Demo;
use crate::gui::panels::Panel;
use crate::gui::pick::Wanted;
use crate::gui::theme;

/// How long something on another thread may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The file dialogs of the desktop, as the tests stand in for them.
#[derive(Clone, Default)]
pub(super) struct Dialogs {
    opened: Rc<RefCell<Vec<Wanted>>>,
    answer: Rc<RefCell<Option<Vec<PathBuf>>>>,
}

impl Dialogs {
    /// Every dialog from now on is answered with this.
    pub(super) fn choose(&self, path: impl Into<PathBuf>) {
        *self.answer.borrow_mut() = Some(vec![path.into()]);
    }

    /// The dialogs that were opened since.
    pub(super) fn take(&self) -> Vec<Wanted> {
        self.opened.take()
    }
}

pub(super) struct Rig {
    pub harness: Harness<'static, App>,
    pub demo: Demo,
    pub dialogs: Dialogs,
    sent: Vec<Command>,
}

impl Rig {
    /// A window of the first size with so many torrents.
    pub(super) fn new(torrents: u32) -> Self {
        Self::with(torrents, theme::FIRST_SIZE, |_| {})
    }

    /// A window of a size, made with other parts.
    pub(super) fn with(torrents: u32, size: egui::Vec2, change: impl FnOnce(&mut Parts)) -> Self {
        let (handle, demo) = Demo::new(torrents);
        let dialogs = Dialogs::default();
        let script = {
            let dialogs = dialogs.clone();
            move |wanted: &Wanted| {
                dialogs.opened.borrow_mut().push(wanted.clone());
                dialogs.answer.borrow().clone()
            }
        };
        let mut parts = Parts { script: Some(Box::new(script)), ..Parts::default() };
        change(&mut parts);
        let harness = Harness::builder()
            .with_size(size)
            .with_max_steps(40)
            .build_eframe(move |context| App::new(&context.egui_ctx, handle, parts));
        let mut rig = Self { harness, demo, dialogs, sent: Vec::new() };
        rig.turn();
        rig
    }

    /// Lets window and session answer each other until both are quiet.
    pub(super) fn turn(&mut self) {
        for _ in 0..4 {
            self.harness.run();
            let commands = self.demo.obey().expect("a window");
            if commands.is_empty() {
                break;
            }
            self.sent.extend(commands);
        }
    }

    /// Half a second of the session's life.
    pub(super) fn play(&mut self) {
        self.turn();
        assert!(self.demo.step());
        self.turn();
    }

    /// Turns until something holds that depends on another thread.
    #[track_caller]
    pub(super) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = clock::now();
        while !holds(self) {
            assert!(elapsed(begun) < PATIENCE, "{what}, not within {PATIENCE:?}");
            std::thread::yield_now();
            self.turn();
        }
    }

    /// The commands sent since, without those that only look.
    pub(super) fn commands(&mut self) -> Vec<Command> {
        let mut sent = std::mem::take(&mut self.sent);
        sent.retain(|command| !matches!(command, Command::Watch(_) | Command::Inspect { .. }));
        sent
    }

    /// A button, tab, box or field by its label.
    #[track_caller]
    pub(super) fn control<'a>(&'a self, label: &'a str) -> Node<'a> {
        self.harness.get(by().label(label).predicate(|node| acts(node.role())))
    }

    /// The same within a part of the window that has a name.
    #[track_caller]
    pub(super) fn control_in<'a>(&'a self, part: &'a str, label: &'a str) -> Node<'a> {
        self.part(part).get(by().label(label).predicate(|node| acts(node.role())))
    }

    /// Whether there is a button, tab, box or field in a part of the window that has a name.
    pub(super) fn has_in(&self, part: &str, label: &str) -> bool {
        let wanted = by().label(label).predicate(|node| acts(node.role()));
        self.part(part).query_all(wanted).next().is_some()
    }

    /// What can be pressed or written into, and reaches beyond that width of the window.
    pub(super) fn beyond(&self, width: f32) -> Vec<String> {
        let roles =
            [Role::Button, Role::Tab, Role::CheckBox, Role::RadioButton, Role::TextInput, Role::SpinButton];
        let some = by().predicate(move |node| roles.contains(&node.role()));
        let cut = self.harness.query_all(some).filter(|node| node.rect().right() > width);
        cut.map(|node| node.accesskit_node().label().unwrap_or_default()).collect()
    }

    /// Whether a button can be pressed in a part of the window that has a name.
    #[track_caller]
    pub(super) fn enabled_in(&self, part: &str, label: &str) -> bool {
        !self.control_in(part, label).accesskit_node().is_disabled()
    }

    /// Whether a text can be read in a part of the window that has a name.
    #[track_caller]
    pub(super) fn within(&self, part: &str, text: &str) -> bool {
        self.part(part).query_all(by().label_contains(text).include_labels()).next().is_some()
    }

    /// The names of the tabs in a part of the window that has a name.
    #[track_caller]
    pub(super) fn tabs(&self, part: &str) -> Vec<String> {
        let tabs = self.part(part).query_all(by().role(Role::Tab)).collect::<Vec<_>>();
        tabs.iter().filter_map(|tab| tab.accesskit_node().label()).collect()
    }

    #[track_caller]
    fn part<'a>(&'a self, name: &'a str) -> Node<'a> {
        let regions = [Role::Region, Role::Navigation];
        self.harness.get(by().label(name).predicate(move |node| regions.contains(&node.role())))
    }

    /// Presses a button within a part of the window that has a name.
    #[track_caller]
    pub(super) fn click_in(&mut self, part: &str, label: &str) {
        self.control_in(part, label).click();
        self.turn();
    }

    /// Chooses a panel in the navigation.
    #[track_caller]
    pub(super) fn go(&mut self, panel: Panel) {
        self.click_in("Panels", panel.title());
    }

    /// Clicks the title of a column, which begins so.
    #[track_caller]
    pub(super) fn sort(&mut self, title: &str) {
        let titles = by().role(Role::ColumnHeader);
        let title = titles.predicate(|node| node.label().is_some_and(|label| label.starts_with(title)));
        self.harness.get(title).click();
        self.turn();
    }

    /// Presses a button.
    #[track_caller]
    pub(super) fn click(&mut self, label: &str) {
        let node = self.control(label);
        assert!(!node.accesskit_node().is_disabled(), "{label} cannot be pressed");
        node.click();
        self.turn();
    }

    /// Whether there is a button, tab, box or field.
    pub(super) fn has(&self, label: &str) -> bool {
        self.harness.query_all(by().label(label).predicate(|node| acts(node.role()))).next().is_some()
    }

    /// Whether a button can be pressed.
    #[track_caller]
    pub(super) fn enabled(&self, label: &str) -> bool {
        !self.control(label).accesskit_node().is_disabled()
    }

    /// Types into a field after emptying it.
    #[track_caller]
    pub(super) fn write(&mut self, label: &str, text: &str) {
        self.control(label).focus();
        self.turn();
        self.press(Modifiers::COMMAND, Key::A);
        self.control(label).type_text(text);
        self.turn();
    }

    /// Presses a key.
    pub(super) fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.turn();
    }

    /// Whether a text can be read or heard anywhere.
    pub(super) fn says(&self, text: &str) -> bool {
        self.harness.query_all(by().label_contains(text).include_labels()).next().is_some()
    }

    /// Everything that can be read, for a failing test.
    pub(super) fn all(&self) -> Vec<String> {
        let nodes = self.harness.root().children_recursive();
        nodes.filter_map(|node| text(&node)).filter(|text| !text.is_empty()).collect()
    }

    /// What must be said somewhere.
    #[track_caller]
    pub(super) fn expect(&self, text: &str) {
        assert!(self.says(text), "nothing says {text:?} among {:#?}", self.all());
    }

    /// What must be said nowhere.
    #[track_caller]
    pub(super) fn expect_not(&self, text: &str) {
        assert!(!self.says(text), "something says {text:?}");
    }

    /// The sentences of the rows of a table, in their order on the screen.
    #[track_caller]
    pub(super) fn rows(&self, table: &str) -> Vec<String> {
        let table = self.harness.get(by().label_contains(table).role(Role::Table));
        table.query_all(by().role(Role::Row)).filter_map(|row| row.accesskit_node().label()).collect()
    }

    /// Clicks a row whose sentence begins so.
    #[track_caller]
    pub(super) fn row(&mut self, begins: &str) {
        self.row_with(begins, Modifiers::NONE);
    }

    /// The same with a modifier held.
    #[track_caller]
    pub(super) fn row_with(&mut self, begins: &str, modifiers: Modifiers) {
        let rows = by()
            .role(Role::Row)
            .predicate(|node| node.label().is_some_and(|label| label.starts_with(begins)));
        self.harness.get(rows).click_modifiers(modifiers);
        self.turn();
    }
}

/// Whether a user can do something with it.
fn acts(role: Role) -> bool {
    use Role::{Alert, ColumnHeader, Dialog, GenericContainer, Label, Row, Status, Table};
    !matches!(role, Alert | ColumnHeader | Dialog | GenericContainer | Label | Row | Status | Table)
}

fn text(node: &Node<'_>) -> Option<String> {
    let node = node.accesskit_node();
    node.label().or_else(|| node.value())
}

fn elapsed(since: Instant) -> Duration {
    since.elapsed()
}
