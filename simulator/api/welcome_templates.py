"""入群欢迎语 (05, 5.4): templates the owner of a group picks in the client; the API cannot attach them."""

from simulator.api.contents import ATTACHMENTS, check_attachment, read_content_text
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_object, need_text, read_number
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_contacts import WelcomeTemplate

TEXT_BYTES = 3000
MOST_TEMPLATES = 100


def add(platform: Platform, call: ApiCall) -> Answer:
    """Make a template: text, and one attachment."""
    _check_agent(platform, call.body)
    content = _read_template(platform, call.body)
    read_number(call.body, "notify", 1, 0, 1)
    if len(platform.world.welcome_templates.rows) >= MOST_TEMPLATES:
        raise ApiError(41055)
    template = WelcomeTemplate(platform.new_id("msg"), content, platform.clock.seconds())
    platform.world.welcome_templates.put(template)
    return ok(template_id=template.template_id)


def _read_template(platform: Platform, body: Json) -> Json:
    """Return the parts a template keeps; of several attachments only the first kind counts."""
    text = read_content_text(body, TEXT_BYTES)
    content: Json = {"text": {"content": text}} if text else {}
    for kind in ATTACHMENTS:
        if body.get(kind):
            check_attachment(platform, kind, need_object(body, kind))
            content[kind] = body[kind]
            break
    if not content:
        raise ApiError(40063, "text and attachment are both empty")
    return content


def _check_agent(platform: Platform, body: Json) -> None:
    if body.get("agentid") is not None and str(body["agentid"]) != str(platform.config.agent_id):
        raise ApiError(40056)


def _need_template(platform: Platform, call: ApiCall) -> WelcomeTemplate:
    template = platform.world.welcome_templates.find(need_text(call.body, "template_id"))
    if template is None:
        raise ApiError(40058, "invalid parameter: template_id")
    return template


def edit(platform: Platform, call: ApiCall) -> Answer:
    """Replace a template's content."""
    template = _need_template(platform, call)
    _check_agent(platform, call.body)
    template.body = _read_template(platform, call.body)
    platform.world.welcome_templates.put(template)
    return ok()


def get(platform: Platform, call: ApiCall) -> Answer:
    """Return a template."""
    return ok(**_need_template(platform, call).body)


def delete(platform: Platform, call: ApiCall) -> Answer:
    """Remove a template."""
    template = _need_template(platform, call)
    _check_agent(platform, call.body)
    platform.world.welcome_templates.remove(template.template_id)
    return ok()


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/group_welcome_template/add": Endpoint(add, APP),
    "POST /cgi-bin/externalcontact/group_welcome_template/edit": Endpoint(edit, APP),
    "POST /cgi-bin/externalcontact/group_welcome_template/get": Endpoint(get, APP),
    "POST /cgi-bin/externalcontact/group_welcome_template/del": Endpoint(delete, APP),
}
