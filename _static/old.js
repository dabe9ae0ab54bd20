// A browser that is too old to read live.js runs nothing of it. This one it can read, and it says so.
window.addEventListener("load", function () {
  if (!document.querySelector("div.cell .cell_input pre") || document.querySelector(".live-page")) return;
  var note = document.createElement("p");
  note.setAttribute("role", "status");
  note.appendChild(document.createTextNode("This browser is too old to run the code on this page. The text and its " +
    "results can be read without it."));
  var title = document.querySelector(".bd-article h1");
  title.parentNode.insertBefore(note, title.nextSibling);
});
