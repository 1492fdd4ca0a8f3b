//! Answering the tree: the suggestion with one key, anything else with a reason.

use super::{App, Dialog, Effect};
use crate::base::ids::QuestionId;
use crate::console::input::Received;
use crate::console::keymap::Action;
use crate::console::overlays::form::{self, Form, Purpose};
use crate::core::ask::tree::suggest;
use crate::core::model::Model;
use crate::core::words::command::Ask;
use crate::core::words::incident::{Incident, Position};
use crate::plan::{Goto, Question};
use std::time::Instant;

/// The open question of the incident.
pub(super) fn open_question(model: &Model) -> Option<(&QuestionId, &Question)> {
    match &model.durable.incident.as_ref()?.position {
        Position::Question(id) => model.plan.tree.questions.get_key_value(id),
        _ => None,
    }
}

impl App {
    /// Gives an answer to the question that is on the screen.
    pub(super) fn answer(
        &mut self,
        question: &QuestionId,
        answer: &str,
        received: &Received,
        at: Instant,
    ) -> Vec<Effect> {
        let now = self.now(at);
        let Some(plan) = self.model.as_ref().and_then(|model| model.plan.tree.questions.get(question)) else {
            return Vec::new();
        };
        if !plan.answers.contains_key(answer) {
            let known: Vec<&str> = plan.answers.keys().map(String::as_str).collect();
            let keys = self.keymap.keys(self.context(), Action::AnswerOther);
            let key = keys.first().map_or_else(|| ":answer-other".to_owned(), ToString::to_string);
            let next = format!("Its answers are: {}; {key} chooses.", known.join(", "));
            self.complain(&format!("this question cannot be answered with {answer}"), &next, at);
            return vec![Effect::Draw];
        }
        let suggested =
            self.model.as_ref().and_then(|model| suggest(model, plan, now).answer().map(str::to_owned));
        let begins_a_run =
            matches!(plan.answers.get(answer).map(|answer| &answer.goto), Some(Goto::Runbook(_)));
        if suggested.as_deref() == Some(answer) && !begins_a_run {
            let what = format!("answers \"{answer}\"");
            let (question, answer) = (question.clone(), answer.to_owned());
            let ask = Ask::Answer { question, answer, suggested, reason: None };
            return self.ask_alone(received, ask, &what, at);
        }
        self.offer_answer(question, answer, at)
    }

    /// Opens the form of an answer: for its reason, or for the yes where it needs none.
    pub(super) fn offer_answer(&mut self, question: &QuestionId, answer: &str, at: Instant) -> Vec<Effect> {
        let Some(mut form) = self.answer_form(question, at) else { return Vec::new() };
        form.chosen = form.choices.iter().position(|choice| choice.name == answer).unwrap_or(0);
        form.skip_choice();
        self.open(Dialog::Form(Box::new(form)))
    }

    /// Offers all answers of the open question, or the questions to go back to.
    pub(super) fn answer_other(&mut self, at: Instant) -> Vec<Effect> {
        let model = self.model.as_ref();
        let open = model.and_then(open_question).map(|(id, _)| id.clone());
        if let Some(form) = open.and_then(|question| self.answer_form(&question, at)) {
            return self.open_form(form, at);
        }
        let incident = self.model.as_ref().and_then(|model| model.durable.incident.as_ref());
        let Some(incident) = incident else {
            self.complain("no incident is open", "Declare one first.", at);
            return vec![Effect::Draw];
        };
        if let Some(run) = incident.open_run() {
            let runbook = self.model.as_ref().map(|model| model.runbook_title(&run.runbook));
            let why = format!("the runbook {} is running", runbook.unwrap_or_default());
            self.complain(&why, "Settle its steps, or abort it, to answer again.", at);
            return vec![Effect::Draw];
        }
        match self.revisit_form() {
            Some(form) => self.open_form(form, at),
            None => {
                self.complain("no question was answered yet", "", at);
                vec![Effect::Draw]
            }
        }
    }

    fn answer_form(&self, question: &QuestionId, at: Instant) -> Option<Form> {
        let model = self.model.as_ref()?;
        let plan = model.plan.tree.questions.get(question)?;
        let suggested = suggest(model, plan, self.now(at)).answer().map(str::to_owned);
        let labels: Vec<(&str, String)> = plan
            .answers
            .iter()
            .map(|(name, answer)| {
                let mark = if Some(name) == suggested.as_ref() { " (suggested)" } else { "" };
                (name.as_str(), format!("{name}{mark}: {}", leads_to(model, &answer.goto)))
            })
            .collect();
        let choices = form::choices(labels.iter().map(|(name, label)| (*name, label.as_str())));
        let mut form = Form::choosing(
            Purpose::Answer {
                question: question.clone(),
                ask: plan.ask.clone(),
                suggested: suggested.clone(),
            },
            choices,
        );
        form.chosen =
            form.choices.iter().position(|choice| Some(&choice.name) == suggested.as_ref()).unwrap_or(0);
        Some(form)
    }

    /// The suggestion turned while somebody answered: the form shows today's, from its beginning, with what was typed.
    pub(super) fn renew_answer(&mut self, at: Instant) {
        let Some(Dialog::Form(form)) = &self.dialog else { return };
        let Purpose::Answer { question, .. } = &form.purpose else { return };
        let Some(mut fresh) = self.answer_form(question, at) else { return };
        if fresh.purpose == form.purpose {
            return;
        }
        let chosen = form.choices.get(form.chosen).map(|choice| &choice.name);
        fresh.chosen = fresh.choices.iter().position(|choice| Some(&choice.name) == chosen).unwrap_or(0);
        fresh.text = form.text.clone();
        self.dialog = Some(Dialog::Form(Box::new(fresh)));
    }

    fn revisit_form(&self) -> Option<Form> {
        let model = self.model.as_ref()?;
        let questions = answered(model.durable.incident.as_ref()?);
        let asks = questions.iter().filter_map(|id| {
            let question = model.plan.tree.questions.get(*id)?;
            Some((id.as_str(), question.ask.as_str()))
        });
        let choices = form::choices(asks);
        (!choices.is_empty()).then(|| Form::choosing(Purpose::Revisit, choices))
    }
}

/// The questions that were answered, the latest first, each once.
fn answered(incident: &Incident) -> Vec<&QuestionId> {
    let mut questions: Vec<&QuestionId> = Vec::new();
    for answer in incident.answers.iter().rev() {
        if !questions.contains(&&answer.question) {
            questions.push(&answer.question);
        }
    }
    questions
}

fn leads_to(model: &Model, goto: &Goto) -> String {
    match goto {
        Goto::Question(id) => {
            model.plan.tree.questions.get(id).map_or_else(|| id.to_string(), |question| question.ask.clone())
        }
        Goto::Runbook(id) => {
            let title = model.plan.runbooks.get(id).map_or(id.as_str(), |runbook| runbook.title.as_str());
            format!("begins the runbook {title}")
        }
        Goto::Leaf(id) => {
            model.plan.tree.leaves.get(id).map_or_else(|| id.to_string(), |leaf| leaf.title.clone())
        }
    }
}
