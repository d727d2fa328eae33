//! `rwprove submit`: sends a proof to a gateway, through a node that signs for its account.

use std::{fmt, thread, time::Duration, time::Instant};

use rwprove_wrap::solidity::calldata;
use serde::Serialize;
use serde_json::{Value, json};

use super::{export::prefixed, proof};
use crate::{args::SubmitArgs, error::CliError, progress::Progress, report};

/// Longest time for an answer of the node.
const ANSWER: Duration = Duration::from_secs(30);
/// How often the node is asked whether the transaction is in a block.
const POLL: Duration = Duration::from_millis(250);

/// What became of the transaction.
#[derive(Serialize)]
struct SubmitReport {
    transaction: String,
    from: String,
    accepted: bool,
    gas: u64,
    seconds: f64,
}

impl fmt::Display for SubmitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.accepted { "accepted" } else { "REVERTED" };
        writeln!(f, "{verdict} in {:.1} s", self.seconds)?;
        writeln!(f, "transaction   {}", self.transaction)?;
        writeln!(f, "from          {}", self.from)?;
        writeln!(f, "gas           {}", self.gas)
    }
}

/// A node's JSON-RPC.
struct Node<'a> {
    agent: ureq::Agent,
    url: &'a str,
}

impl Node<'_> {
    fn call(&self, method: &str, parameters: Value) -> Result<Value, CliError> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters});
        let answer = self.agent.post(self.url).send_json(&request);
        let answer = answer.and_then(|mut answer| answer.body_mut().read_json::<Value>());
        let mut answer = answer
            .map_err(|error| CliError::Node { url: self.url.into(), error: error.to_string() })?;
        if let Some(error) = answer.get("error") {
            let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
            return Err(CliError::refused(method, message));
        }
        Ok(answer["result"].take())
    }
}

pub(crate) fn run(args: &SubmitArgs, quiet: bool) -> Result<(), CliError> {
    let start = Instant::now();
    let proof = proof(&args.proof)?;
    let progress = Progress::start("asking the node", quiet);
    let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER)).build();
    let node = Node { agent: config.into(), url: &args.rpc };
    let from = match &args.from {
        Some(from) => from.clone(),
        None => {
            let accounts = node.call("eth_accounts", json!([]))?;
            let first = accounts.get(0).and_then(Value::as_str).map(str::to_owned);
            first.ok_or_else(|| CliError::Refused("the node has no account: say --from".into()))?
        }
    };
    let data = prefixed(&calldata(&proof.statement, &proof.proof));
    let mut transaction = json!({"from": from, "to": args.gateway, "data": data});
    // What the gateway refuses costs nothing this way.
    node.call("eth_call", json!([transaction, "latest"]))?;
    transaction["gas"] = node.call("eth_estimateGas", json!([transaction]))?;
    let sent = node.call("eth_sendTransaction", json!([transaction]))?;
    progress.now("waiting for a block".into());
    let receipt = loop {
        let receipt = node.call("eth_getTransactionReceipt", json!([sent]))?;
        if !receipt.is_null() {
            break receipt;
        }
        if start.elapsed() > Duration::from_secs(args.timeout) {
            let sent = sent.as_str().unwrap_or_default();
            return Err(CliError::Refused(format!("transaction {sent} is in no block yet")));
        }
        thread::sleep(POLL);
    };
    drop(progress);
    let number = |key: &str| {
        let digits = receipt[key].as_str().and_then(|text| text.strip_prefix("0x"));
        digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
    };
    let report = SubmitReport {
        transaction: sent.as_str().unwrap_or_default().into(),
        from,
        accepted: number("status") == 1,
        gas: number("gasUsed"),
        seconds: start.elapsed().as_secs_f64(),
    };
    report::print(&report, args.json)?;
    if report.accepted { Ok(()) } else { Err(CliError::Refused("the transaction reverted".into())) }
}
