# Brings an empty, migrated Redmine to the state that the tests rely on; run once per template by `rails runner`.
# What a test needs to know (names, ids, keys) is written to ENV['SEED_OUT'] as JSON.
require 'json'

LANG = ENV.fetch('SEED_LANG')
PASSWORD = 'Himitsu-8842'

def spoken(japanese, english)
  LANG == 'ja' ? japanese : english
end

# ── default data and settings ─────────────────────────────────────────────────────────────────────────
Redmine::DefaultData::Loader.load(LANG)
Setting.rest_api_enabled = '1'
Setting.default_language = LANG
Setting.user_format = LANG == 'ja' ? :lastname_firstname : :firstname_lastname
Setting.attachment_max_size = '20480'
Setting.notified_events = []
Setting.app_title = spoken('課題管理（試験用）', 'Issues (for tests)')

statuses = %i[new in_progress resolved feedback closed rejected].zip(IssueStatus.sorted.to_a).to_h
priorities = %i[low normal high urgent immediate].zip(IssuePriority.order(:position).to_a).to_h
roles = %i[manager developer reporter].zip(Role.givable.sorted.to_a).to_h
trackers = %i[bug feature support].zip(Tracker.sorted.to_a).to_h

# ── roles ─────────────────────────────────────────────────────────────────────────────────────────────
member_rights = %i[view_issues add_issues edit_issues add_issue_notes]
roles[:readonly] = Role.create!(name: spoken('閲覧のみ', 'Read only'), permissions: %i[view_issues view_files],
                                issues_visibility: 'all', assignable: false)
roles[:ticssync] = Role.create!(name: 'ticssync', permissions: member_rights, issues_visibility: 'default',
                                assignable: false)
roles[:operator] = Role.create!(name: spoken('作業者', 'Operator'), issues_visibility: 'default',
                                permissions: member_rights + %i[view_private_notes])

# ── the tracker 業務: to its end only step by step, and back by one way ────────────────────────────────
trackers[:duty] = Tracker.create!(name: spoken('業務', 'Duty'), default_status: statuses[:new], is_in_roadmap: false)
steps = [%i[new in_progress], %i[in_progress resolved], %i[resolved closed], %i[closed in_progress]]
%i[manager developer].product(steps).each do |role, (from, to)|
  WorkflowTransition.create!(tracker_id: trackers[:duty].id, role_id: roles[role].id,
                             old_status_id: statuses[from].id, new_status_id: statuses[to].id)
end

# ── workflows of the roles that the default data does not know ────────────────────────────────────────
def copy_workflow(from, to)
  WorkflowTransition.where(role_id: from.id).find_each do |row|
    next if yield(row)
    WorkflowTransition.create!(tracker_id: row.tracker_id, role_id: to.id, old_status_id: row.old_status_id,
                               new_status_id: row.new_status_id, author: row.author, assignee: row.assignee)
  end
end

ends = IssueStatus.where(is_closed: true).pluck(:id)
copy_workflow(roles[:manager], roles[:ticssync]) { false }
copy_workflow(roles[:developer], roles[:operator]) { |row| ends.include?(row.new_status_id) }

# ── people ────────────────────────────────────────────────────────────────────────────────────────────
def person(user, first, last, key)
  user.attributes = { firstname: first, lastname: last, mail: "#{user.login}@example.test", language: LANG,
                      status: User::STATUS_ACTIVE, mail_notification: 'none', must_change_passwd: false }
  user.password = user.password_confirmation = PASSWORD
  user.save!
  Token.where(user_id: user.id, action: 'api').delete_all
  Token.create!(user: user, action: 'api').update_columns(value: key)
  user
end

keys = { admin: 'a' * 40, worker: 'b' * 40, reader: 'c' * 40, confirmer: 'd' * 40, bot: 'e' * 40, operator: 'f' * 40 }
names = { admin: %w[Admin Redmine], worker: %w[太郎 山田], reader: %w[花子 佐藤], confirmer: %w[健 高崎],
          bot: %w[専用 ticssync], operator: %w[次郎 髙﨑] }
users = keys.keys.to_h do |login|
  user = User.find_by_login(login.to_s) || User.new.tap { |made| made.login = login.to_s }
  [login, person(user, *names[login], keys[login])]
end

# ── projects ──────────────────────────────────────────────────────────────────────────────────────────
def project(identifier, name)
  Project.create!(identifier: identifier, name: name, is_public: false, trackers: Tracker.all.to_a,
                  enabled_module_names: %w[issue_tracking wiki files])
end

projects = { tics: project('tics', spoken('技術情報管理認証', 'Technical information management')),
             other: project('other', spoken('別の仕事', 'Other work')) }
{ worker: :developer, reader: :readonly, confirmer: :manager, bot: :ticssync, operator: :operator }.each do |login, role|
  Member.create!(project: projects[:tics], user_id: users[login].id, roles: [roles[role]])
end
Member.create!(project: projects[:other], user_id: users[:admin].id, roles: [roles[:manager]])

# named after the first chapters of mappings/tics-2024
chapters = { identify: spoken('守る情報の特定', 'Identifying what to protect'),
             governance: spoken('体制とルール', 'Organisation and rules'), people: spoken('人的対策', 'People'),
             handling: spoken('情報の取扱い', 'Handling of information'),
             physical: spoken('物理的対策', 'Physical protection') }
categories = chapters.transform_values { |name| IssueCategory.create!(project: projects[:tics], name: name) }
versions = { year: Version.create!(project: projects[:tics], name: spoken('2026年度 年次報告', 'Annual report 2026'),
                                   effective_date: Date.new(2027, 3, 31)) }

# ── custom fields ─────────────────────────────────────────────────────────────────────────────────────
def field(name, format, **options)
  IssueCustomField.create!(name: name, field_format: format, is_for_all: true, is_filter: true,
                           trackers: Tracker.all.to_a, **options)
end

custom_fields = {
  marker: field('ticssync-id', 'string', max_length: 0, searchable: true),
  criterion: field(spoken('基準番号', 'Criterion'), 'string', max_length: 60, searchable: true),
  result: field(spoken('評価', 'Result'), 'list', possible_values: %w[適合 不適合 該当なし 未確認]),
  evidence: field(spoken('証跡の種類', 'Kinds of evidence'), 'list', multiple: true,
                  possible_values: %w[規程 記録 写真 契約書]),
  confirmed: field(spoken('確認日', 'Confirmed on'), 'date'),
  score: field(spoken('点数', 'Score'), 'int'),
  onsite: field(spoken('現地確認', 'On site'), 'bool'),
  note: field(spoken('備考', 'Note'), 'text'),
}

# ── what tests are told ───────────────────────────────────────────────────────────────────────────────
kinds = { users: users, projects: projects, roles: roles, trackers: trackers, statuses: statuses,
          priorities: priorities, custom_fields: custom_fields, categories: categories, versions: versions }
told = { version: Redmine::VERSION.to_s, lang: LANG, keys: keys, password: PASSWORD,
         ids: kinds.transform_values { |kind| kind.transform_values(&:id) },
         names: kinds.transform_values { |kind| kind.transform_values { |thing| thing.is_a?(User) ? thing.name : thing.to_s } } }
File.write(ENV.fetch('SEED_OUT'), JSON.pretty_generate(told))
