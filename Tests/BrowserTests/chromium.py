# SPDX-License-Identifier: Apache-2.0
"""A headless chromium, driven over the DevTools protocol by its pipe: no port, no WebSocket, no package."""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time


class BrowserError(Exception):
    pass


class Chromium:
    def __init__(self):
        # On a machine that has much else to do a start was seen to hang: it is given up once, and tried again.
        for attempt in (1, 2):
            self.launch()
            try:
                self.call("Browser.getVersion", limit=20 * attempt)
                return
            except BaseException:
                self.close()
                if attempt == 2:
                    raise

    def launch(self):
        self.folder = tempfile.mkdtemp(prefix="tartan-chromium-")
        command_read, self.commands = os.pipe()
        self.answers, answer_write = os.pipe()
        # The browser reads descriptor 3 and writes descriptor 4. The pipes have these numbers or others have them, so
        # that Popen does not; and they come from copies that are out of the way.
        ours = [command_read, answer_write]
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ours]
        flags = [
            "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "--no-first-run",
            "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
            "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en",
        ]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # chromium's own sandbox refuses root
        # A bus that is there and does not answer would hold the start up.
        nowhere = "unix:path=/nonexistent"
        with open(f"{self.folder}/log", "wb") as log:
            self.process = subprocess.Popen(
                ["chromium", *flags, "about:blank"], pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: (os.dup2(high[0], 3), os.dup2(high[1], 4)), start_new_session=True,
                env={**os.environ, "HOME": self.folder, "XDG_CONFIG_HOME": self.folder, "XDG_CACHE_HOME": self.folder,
                     "DBUS_SESSION_BUS_ADDRESS": nowhere, "DBUS_SYSTEM_BUS_ADDRESS": nowhere})
        for descriptor in ours + high:
            os.close(descriptor)
        self.buffer = b""
        self.number = 0
        self.events = []

    def close(self):
        for stop in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, stop)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                continue
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, params=None, session=None, limit=30):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        deadline = time.monotonic() + limit
        while True:
            answer = self.receive(deadline, method)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, deadline, what):
        while b"\0" not in self.buffer:
            rest = deadline - time.monotonic()
            if rest <= 0 or not select.select([self.answers], [], [], rest)[0]:
                raise BrowserError(f"chromium did not answer {what} in time; it said: {self.said()}")
            data = os.read(self.answers, 1 << 20)
            if not data:
                raise BrowserError(f"chromium has ended; it said: {self.said()}")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def said(self):
        with open(f"{self.folder}/log", errors="replace") as file:
            return file.read()[-1500:]

    def page(self, width=1280, height=800, scale=1, mobile=False, script=None):
        return Page(self, width, height, scale, mobile, script)


class Page:
    """One tab in a browser context of its own."""

    def __init__(self, browser, width, height, scale, mobile, script):
        self.browser = browser
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", {"url": "about:blank", "browserContextId": self.context})["targetId"]
        self.session = browser.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(width, height, scale, mobile)
        if script:
            self.call("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def call(self, method, params=None, limit=30):
        return self.browser.call(method, params, self.session, limit)

    def size(self, width, height, scale=1, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride",
                  {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile})
        self.call("Emulation.setTouchEmulationEnabled", {"enabled": mobile})

    def prefer(self, **features):
        """prefer(color_scheme="dark", reduced_motion="reduce")"""
        self.call("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()]})

    def open(self, url):
        answer = self.call("Page.navigate", {"url": url})
        if answer.get("errorText"):
            raise BrowserError(f"{url}: {answer['errorText']}")

    def run(self, expression):
        answer = self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(f"{expression}: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def until(self, expression, limit=10, what=None):
        """Waits until an expression is true, and returns what it is."""
        deadline = time.monotonic() + limit
        while True:
            value = last = None
            try:
                value = self.run(expression)
            except BrowserError as error:
                last = error
            if value:
                return value
            if time.monotonic() > deadline:
                seen = self.run("document.body.innerText")[:700]
                raise BrowserError(f"not within {limit} s: {what or expression} ({last or value!r}); the page says: {seen}")
            time.sleep(0.03)

    def text(self, name):
        return self.run(f"document.getElementById({json.dumps(name)}).textContent")

    KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35, "PageUp": 33,
            "PageDown": 34, "Escape": 27, "Enter": 13, "Tab": 9}

    def press(self, key, control=False):
        event = {"key": key, "code": key, "windowsVirtualKeyCode": self.KEYS.get(key, ord(key[0].upper())),
                 "modifiers": 2 if control else 0}
        if len(key) == 1:
            event["text"] = key
        elif key == "Enter":
            event["text"] = "\r"
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        event.pop("text", None)
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def type(self, text):
        self.call("Input.insertText", {"text": text})

    def hover(self, x, y):
        self.call("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})

    def picture(self, path, kind="png", **options):
        data = base64.b64decode(self.call("Page.captureScreenshot", {"format": kind, **options})["data"])
        with open(path, "wb") as file:
            file.write(data)
        return len(data)

    def complaints(self):
        """What the console was told, errors and warnings, since the last time."""
        self.run("0")
        mine = [event for event in self.browser.events if event.get("sessionId") == self.session]
        self.browser.events = []
        said = []
        for event in mine:
            params = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                said.append(details.get("exception", {}).get("description", details["text"]))
            elif event["method"] == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                said.append(params["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                said.append(str(params["args"]))
        return said
