"""The page of a provenance report, as a Jinja2 template: page.py fills it in."""

PAGE = """{% macro tags(counts) %}
{% for name, count in counts.items() %}<span class="tag {{ name }}">{{ name }} {{ count }}</span>
{% else %}–{% endfor %}
{% endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Provenance audit: {{ audit.folder }}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #5c6670; --line: #dde2e8; --mark: #0b62c4;
  --card: #f6f8fa; --good: #1a7f4b; --half: #8a6d00; --bad: #b3261e; --grey: #6a737d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #30363d;
  --mark: #6cb0ff; --card: #161b22; --good: #4cc38a; --half: #d6b13c; --bad: #ff7b72; --grey: #8b949e; } }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1280px;
  margin: 0 auto; padding: 2.2rem 1.4rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.22rem; margin: 2.6rem 0 .5rem; padding-top: .9rem;
  border-top: 1px solid var(--line); }
p { margin: .45rem 0; max-width: 48rem; } .soft { color: var(--soft); } small { color: var(--soft); }
ul { max-width: 48rem; padding-left: 1.3rem; margin: .3rem 0; } li { margin: .25rem 0; }
.brief { background: var(--card); border-radius: 8px; padding: .7rem 1.1rem; margin: 1.1rem 0; }
.scroll { overflow-x: auto; } .scroll:focus { outline: 2px solid var(--mark); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; font-size: .92rem; width:
100%; }
th, td { text-align: left; padding: .32rem .9rem .32rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; } tbody tr:last-child td { border-bottom: none; }
td.file { overflow-wrap: anywhere; min-width: 9rem; } td.num { white-space: nowrap; }
td.chain { min-width: 16rem; } td.who { min-width: 9.5rem; }
code { font: .88em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
.tag { display: inline-block; white-space: nowrap; border: 1px solid currentColor; border-radius: 1em; padding: 0 .6em;
  font-size: .86rem; color: var(--grey); }
.tag.trusted, .tag.attested, .tag.vouched { color: var(--good); }
.tag.valid-untrusted, .tag.claimed, .tag.suspected, .tag.misclaimed { color: var(--half); }
.tag.invalid, .tag.tampered, .tag.contradicted, .tag.lost, .tag.deceived { color: var(--bad); }
.tag.alarm { color: var(--mark); }
.bar { display: flex; height: 1.1rem; border-radius: 4px; overflow: hidden; margin: .8rem 0 .4rem; background:
var(--card); }
.bar i { display: block; min-width: 2px; } .bar .trusted { background: var(--good); }
.bar .valid-untrusted { background: var(--half); } .bar .invalid { background: var(--bad); }
.bar .none { background: var(--grey); } .bar .unreadable { background: var(--line); }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--mark); }
</style>
</head>
<body>
<h1>Provenance audit of {{ audit.folder }}</h1>
<p class="soft">{{ audit.clips | length }} clips · {{ audit.created }} · {{ audit.library }} · offline: nothing was
fetched</p>
<div class="brief"><strong>In short</strong>
<ul>{% for line in findings %}<li>{{ line }}</li>{% endfor %}</ul></div>

<h2 id="states">Credentials</h2>
<div class="bar" role="img" aria-label="Clips by state of their credentials">
{% for state, share in audit.states.items() if share.count %}
<i class="{{ state }}" style="flex: {{ share.count }}" title="{{ state }}: {{ share.count }}"></i>{% endfor %}
</div>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>state</th><th>clips (share; {{ "%.0f" | format(100 * audit.confidence) }} %
interval)</th><th>means</th></tr></thead>
<tbody>{% for state, share in audit.states.items() %}
<tr><td><span class="tag {{ state }}">{{ state }}</span></td><td class="num">{{ share | share }}</td>
<td>{{ state_meaning[state] }}</td></tr>{% endfor %}</tbody></table></div>
<p class="soft">Intervals are exact (Clopper–Pearson). They speak of further clips only if these were drawn at random
from them; of this folder the counts are the whole truth.</p>
<p>Trust anchors: {% for name in audit.anchors %}<code>{{ name }}</code>{{ ", " if not loop.last }}{% else %}none
{% endfor %}.</p>

<h2 id="verdicts">With what the pictures say</h2>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>verdict</th><th>clips (share; interval)</th><th>means</th></tr></thead>
<tbody>{% for kind, share in audit.verdicts.items() if share.count %}
<tr><td><span class="tag {{ kind }}">{{ kind }}</span></td><td class="num">{{ share | share }}</td>
<td>{{ meaning[kind] }}</td></tr>{% endfor %}</tbody></table></div>
{% if audit.contradictions %}
<ul>{% for name, count in audit.contradictions.items() %}<li>{{ count }} × <code>{{ name }}</code>: {{
contradictions[name] }}
{{ " (weak: a detector's word)" if name in weak }}</li>{% endfor %}</ul>
{% endif %}

<h2 id="clips">Clip by clip</h2>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>file</th><th>credentials</th><th>verdict</th><th>generator claimed</th><th>source
type</th><th>signer</th>
<th>parents</th></tr></thead>
<tbody>{% for clip in audit.clips %}
<tr><td class="file">{{ clip.file }}<br><small><code title="{{ clip.sha256 }}">
{{ clip.sha256[:12] or "–" }}</code></small></td>
<td><span class="tag {{ clip.report.state }}">{{ clip.report.state }}</span>
{% if clip.report.where == "sidecar" %}<small>in a file beside it</small>{% endif %}
{% if clip.report.reason %}<br><small title="{{ clip.report.codes | join(', ') }}">{{ clip.report.reason }}</small>
{% endif %}</td>
<td class="who"><span class="tag {{ clip.verdict.kind }}">{{ clip.verdict.kind }}</span>
{% if clip.verdict.origin != "unknown" %}<br><small>{{ clip.verdict.origin }}</small>{% endif %}
{% if clip.picture.mark != "not asked" %}<br><small>mark {{ clip.picture.mark }}</small>{% endif %}
{% if clip.picture.detector != "not asked" %}<br><small>detector {{ clip.picture.detector }}</small>{% endif %}
{% for name in clip.verdict.contradictions %}<br><small>{{ contradictions[name] }}</small>{% endfor %}</td>
<td>{{ clip.report.generator or "–" }}{% if clip.report.model %}<br><small>model {{ clip.report.model }}</small>
{% endif %}
{% if clip.report.marks %}<br><small>promises mark
{{ clip.report.marks | map(attribute="mark") | join(", ") }}</small>{% endif %}</td>
<td>{{ clip.report.source_types | map("term") | join(", ") or "–" }}</td>
<td class="who">{{ clip.report.signer or "–" }}</td>
<td>{% for parent in clip.report.parents %}{{ parent.title }} <span class="tag {{ parent.state }}">
{{ parent.state }}</span>
{{ parent.source_types | map("term") | join(", ") }}<br>{% else %}–{% endfor %}</td></tr>{% endfor %}
</tbody></table></div>
<p class="soft">Generator, source type and signer of credentials that are not trusted are what somebody says of himself.
Parents are as their editor found them, judged by your anchors today; their files are not here to be checked.</p>

{% if audit.experiment is not none %}
{% set experiment = audit.experiment %}
<h2 id="laundering">Laundering</h2>
<p>Copies of {{ experiment.clips | length }} of {{ experiment.drawn_of }} clips, drawn at random
(seed {{ experiment.seed }}), went through every chain below; {{ experiment.clips | selectattr("own") | list | length }}
with trusted credentials of their own, the others signed for the experiment as generated. The reader trusts your
anchors, the experiment's generator and its editor. The last column is a calculation, not a measurement: what the same
reader would learn if every generated clip carried a mark that survives the chain. Shares of clips at which the reader
is warned stand below the outcomes, with their intervals.</p>
{% if experiment.clips %}
<div class="scroll" tabindex="0"><table>
<thead><tr><th>chain</th><th>clips</th><th>bytes<br>changed</th><th>credentials after</th><th>the reader learns</th>
<th>with a surviving mark</th></tr></thead>
<tbody>{% for one in experiment.chains %}
<tr><td class="chain"><strong>{{ one.chain.name }}</strong>{{ " (honest)" if one.chain.honest }}<br>
<small>{{ one.chain.title }}</small>
{% for reason, count in one.reasons.items() %}<br><small>skipped {{ count }}: {{ reason }}</small>{% endfor %}</td>
<td class="num">{{ one.measured }}</td><td class="num">{{ one.changed }}</td>
<td>{{ one.states | counts }}{% if one.codes %}<br><small>{{ one.codes | join(", ") }}</small>{% endif %}</td>
<td>{{ tags(one.outcomes) }}<br><small>warned: {{ one.alarm | share }}</small></td>
<td>{{ tags(one.with_mark) }}<br><small>warned: {{ one.alarm_with_mark | share }}</small>
{% if one.contradictions %}<br><small>contradictions: {{ one.contradictions | counts }}</small>{% endif %}
{% if one.chain.erases %}<br><small>if the mark survives coding</small>{% endif %}</td></tr>{% endfor %}
</tbody></table></div>
<ul class="soft">{% for name, text in outcomes.items() %}
<li><span class="tag {{ name }}">{{ name }}</span> {{ text }}</li>{% endfor %}</ul>
{% endif %}
{% if experiment.skipped %}
<details><summary>{{ experiment.skipped | length }} of the drawn clips took no part</summary>
<ul>{% for name, reason in experiment.skipped.items() %}
<li><code>{{ name }}</code>: {{ reason }}</li>{% endfor %}</ul></details>
{% endif %}
{% endif %}

<h2 id="machine">How verdicts are reached</h2>
<p>Credentials say who vouches for a file; a mark and a detector look at its pictures. Each may be missing: not asked is
not absent. Marks that credentials promise and that are not there, or carry another message, contradict as well.</p>
<details><summary>The whole table</summary>
<div class="scroll" tabindex="0"><table>
<thead><tr><th>credentials</th><th>say</th>{% for mark in ["present", "absent", "not asked"] %}
{% for detector in ["present", "absent", "not asked"] %}<th>mark {{ mark }},<br>detector {{ detector }}</th>{% endfor %}
{% endfor %}</tr></thead>
<tbody>{% for row in machine %}
<tr><td>{{ row.state }}</td><td>{{ row.origin if row.state in ["trusted", "valid-untrusted"] else "–" }}</td>
{% for cell in row.cells %}<td><span class="tag {{ cell.kind }}">{{ cell.kind }}</span></td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div></details>

<h2 id="limits">Limits</h2>
<ul>
<li>A signature says who vouches, never what is true: a trusted signer can call a generated clip a camera's, and the
source type's wording is not checked by anybody.</li>
<li>No credentials is the common case, and means nothing by itself: repacking or re-encoding a clip loses them without
a trace.</li>
<li>Some bytes lie outside the signed ranges (in mp4: <code>ftyp</code>, <code>free</code>, <code>skip</code>,
<code>mfra</code> boxes): they can change, or carry data, while the clip stays trusted.</li>
<li>Nothing is fetched: credentials that lie elsewhere, revocations and time stamps are not asked for. Credentials
without a time stamp end with the signer's certificate.</li>
<li>WebM and Matroska have no place for credentials; here they count as clips without.</li>
</ul>
</body>
</html>
"""
