// Browsers start no worker for pages that are opened from a disk. The search of
// the site then runs in an inline frame that looks like one.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.waiting = [];
      this.inside.postMessage = (data) => this.receive(data);
      this.inside.importScripts = (...addresses) =>
        addresses.reduce(
          (before, one) => before.then(() => this.load(one)),
          Promise.resolve(),
        );
      this.load(address).then(() => {
        this.waiting.forEach((data) => this.send(data));
        this.waiting = null;
      });
    }

    load(address) {
      return new Promise((resolve, reject) => {
        const script = this.inside.document.createElement("script");
        script.src = address;
        script.onload = resolve;
        script.onerror = reject;
        this.inside.document.head.append(script);
      });
    }

    // What a worker hears and what its page hears are the same event.
    send(data) {
      this.inside.dispatchEvent(new MessageEvent("message", { data }));
    }

    receive(data) {
      this.dispatchEvent(new MessageEvent("message", { data }));
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.send(data);
    }
  };
}
