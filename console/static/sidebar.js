// How approved words get from the side bar into the chat. One adapter, three kinds (data-adapter on <main>):
//   wecom      the JS-SDK puts the text into the chat's input; only when the member has tapped send there do we record it
//   simulator  the plain form does it: our service speaks to the simulator
//   none       "copy text", then the member says that it was sent
// The SDK is never part of this product: the operator names its address, and the page loads it before this file.
"use strict";
(() => {
  const main = document.querySelector("main[data-adapter]");
  const form = document.getElementById("reply-form");
  if (!main || !form || main.dataset.adapter !== "wecom") return;

  const page = location.href.split("#")[0];
  let tickets = null;
  const signed = async (kind) => {
    tickets = tickets || fetch(`/sidebar/sdk?page=${encodeURIComponent(page)}`).then((answer) => answer.json());
    return (await tickets)[kind];
  };

  function register() {
    window.ww.register({
      corpId: main.dataset.corp,
      agentId: main.dataset.agent,
      jsApiList: ["getContext", "sendChatMessage"],
      getConfigSignature: () => signed("config"),
      getAgentConfigSignature: () => signed("agent_config"),
    });
  }

  // Ask where we were opened first: sending works from the chat tools of a single or a group chat only.
  async function canSend() {
    const context = await window.ww.getContext();
    return context.entry === "single_chat_tools" || context.entry === "group_chat_tools";
  }

  async function sendThroughClient() {
    const text = form.querySelector("textarea").value.trim();
    await window.ww.sendChatMessage({ msgtype: "text", enterChat: true, text: { content: text } });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      if (!window.ww || !(await canSend())) throw new Error("not in a chat");
      await sendThroughClient();
    } catch (error) {
      const cancelled = /cancel/i.test(String((error && (error.errMsg || error.message)) || ""));
      if (!cancelled) fallBackToCopy(); // cancelling is a choice, not an error
      return;
    }
    HTMLFormElement.prototype.submit.call(form);
  });

  function fallBackToCopy() {
    const note = Object.assign(document.createElement("p"), { className: "note warn", textContent: main.dataset.sdkFailed });
    note.setAttribute("role", "alert");
    form.before(note);
    form.querySelector("textarea").select();
  }

  if (window.ww) register();
})();
