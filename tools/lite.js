// On every page of lite/: plain sentences for what JupyterLite leaves unsaid. In the JavaScript of 2009, so that a
// browser too old for the rest still reads it.
(function () {
  "use strict";
  var told = false; // that nothing is stored

  function say(text) {
    var note = document.createElement("div");
    note.setAttribute("role", "alert");
    note.setAttribute("style", "position: fixed; z-index: 10000; left: 0; right: 0; bottom: 0; padding: 12px 48px 12px" +
      " 16px; background: #fff3cd; color: #332701; border-top: 2px solid #997404; font: 16px/1.4 sans-serif");
    note.appendChild(document.createTextNode(text));
    var close = document.createElement("button");
    close.setAttribute("aria-label", "Close this note");
    close.setAttribute("style", "position: absolute; top: 6px; right: 8px; padding: 4px 10px; font: inherit");
    close.appendChild(document.createTextNode("×"));
    close.onclick = function () { document.body.removeChild(note); };
    note.appendChild(close);
    document.body.appendChild(note);
  }

  function unstored() {
    if (!told) say("This browser cannot store what you write here: it is a private window, storing is switched off, or the disk " +
      "is full. Press Download before you close this page.");
    told = true;
  }

  function tryStorage() {
    try {
      var opening = window.indexedDB.open("probe of the labs");
      opening.onerror = unstored;
      opening.onsuccess = function () {
        opening.result.close();
        window.indexedDB.deleteDatabase("probe of the labs");
      };
    } catch (error) { unstored(); }
  }

  function tryPython() {
    var late = setTimeout(function () {
      say("Python has still not come from its server. If the network is slow, wait; if it blocks that address, you can " +
        "read and write, and press Download.");
    }, 30000);
    fetch("../jupyter-lite.json").then(function (answer) { return answer.json(); }).then(function (config) {
      var kernel = config["jupyter-config-data"].litePluginSettings["@jupyterlite/pyodide-kernel-extension:kernel"];
      return fetch(new URL(kernel.pyodideUrl, new URL("..", location.href)));
    }).then(function (answer) {
      clearTimeout(late);
      if (!answer.ok) throw new Error(String(answer.status));
    }).catch(function () {
      clearTimeout(late);
      say("Python could not be loaded: the network does not let this page reach the server that it comes from. You can " +
        "read and write; to run what you write, try another network and reload this page, or press Download and work " +
        "in JupyterLab.");
    });
  }

  function watchWrites() { // JupyterLite tells nobody when a write fails, as it does where the disk is full
    var put = window.IDBObjectStore.prototype.put;
    window.IDBObjectStore.prototype.put = function () {
      this.transaction.addEventListener("abort", unstored);
      return put.apply(this, arguments);
    };
  }

  document.addEventListener("DOMContentLoaded", function () {
    if (!window.WebAssembly || !window.Worker || !("noModule" in document.createElement("script")) || ![].at) {
      say("This browser is too old for the labs: Firefox, Chrome, Edge and Safari from 2022 on will do. " +
        "Nothing that you stored here is lost.");
      return;
    }
    tryStorage();
    watchWrites();
    if (location.pathname.indexOf("/notebooks/") >= 0) tryPython();
  });
})();
