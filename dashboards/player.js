// Plays the page's clips in step. The longest clip leads; the others follow it, and hold their last frame when they
// are shorter. Small differences are mended by speed, which nobody sees; large ones by a jump.
"use strict";

const videos = Array.from(document.querySelectorAll("video"));
const button = document.getElementById("play");
const place = document.getElementById("place");
const clock = document.getElementById("clock");
const speed = document.getElementById("speed");
const sound = document.getElementById("sound");
const JUMP_S = 0.15;
const STEADY_S = 0.01;
let playing = false;

function length(video) {
  return Number.isFinite(video.duration) ? video.duration : 0;
}

function leader() {
  return videos.reduce((best, video) => (length(video) > length(best) ? video : best), videos[0]);
}

function wanted() {
  return Number(speed.value);
}

function show() {
  const first = leader();
  const whole = length(first);
  if (whole > 0) {
    place.value = String(Math.round((1000 * first.currentTime) / whole));
    clock.textContent = `${first.currentTime.toFixed(2)} of ${whole.toFixed(2)} s`;
  }
  button.textContent = playing ? button.dataset.pause : button.dataset.play;
}

function follow(video, time) {
  const target = Math.min(time, length(video));
  const ahead = video.currentTime - target;
  if (target >= length(video)) {
    if (!video.paused) video.pause();
    if (Math.abs(ahead) > STEADY_S) video.currentTime = target;
    return;
  }
  if (video.paused) start(video);
  if (Math.abs(ahead) > JUMP_S) video.currentTime = target;
  const mend = Math.abs(ahead) > STEADY_S ? Math.max(-0.25, Math.min(0.25, -2 * ahead)) : 0;
  video.playbackRate = wanted() * (1 + mend);
}

function start(video) {
  const begun = video.play();
  if (begun) begun.catch(() => {});  // a pause that comes first refuses it: nothing is wrong
}

function step() {
  if (!playing) return;
  const first = leader();
  if (first.ended) {
    seek(0);
    start(first);
  }
  for (const video of videos) if (video !== first) follow(video, first.currentTime);
  show();
  requestAnimationFrame(step);
}

function seek(time) {
  for (const video of videos) video.currentTime = Math.min(time, length(video));
}

function play() {
  playing = true;
  const first = leader();
  if (first.ended) seek(0);
  for (const video of videos) {
    video.playbackRate = wanted();
    if (first.currentTime < length(video)) {
      video.currentTime = first.currentTime;
      start(video);
    }
  }
  requestAnimationFrame(step);
}

function pause() {
  playing = false;
  for (const video of videos) video.pause();
  seek(leader().currentTime);
  show();
}

function hear() {
  videos.forEach((video, index) => {
    video.muted = String(index) !== sound.value;
  });
}

if (button) {
  button.addEventListener("click", () => (playing ? pause() : play()));
  place.addEventListener("input", () => {
    seek((Number(place.value) / 1000) * length(leader()));
    show();
  });
  speed.addEventListener("change", () => videos.forEach((video) => (video.playbackRate = wanted())));
  sound.addEventListener("change", hear);
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target === document.body) {
      event.preventDefault();
      button.click();
    }
  });
  for (const video of videos) {
    video.addEventListener("loadedmetadata", show);
    video.addEventListener("seeked", show);
    video.addEventListener("error", () => video.parentElement.classList.add("broken"));
  }
  hear();
  show();
}
