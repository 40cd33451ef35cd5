/* Search without a server. Browsers start no worker for a page that was opened as a file: there, a hidden frame runs the
 * worker's script, and messages go to and fro as events. */
if (location.protocol === "file:") {
  globalThis.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise(resolve => {
        frame.addEventListener("load", () => {
          frame.contentWindow.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }));
          const script = frame.contentDocument.createElement("script");
          script.src = address;
          script.onload = () => resolve(frame.contentWindow);
          frame.contentDocument.body.append(script);
        }, { once: true });
      });
      document.body.append(frame);
    }
    postMessage(data) {
      this.ready.then(inside => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
