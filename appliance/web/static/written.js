// On every page of who is signed in: what is written in a form outlives the session's end.
import "./asking.js";
