"""A headless Chromium driven by the DevTools protocol over a pipe, with the standard library alone."""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60


class PageError(Exception):
    pass


class Browser:
    """One page of one browser; console messages, failures and requests of the page are kept."""

    def __init__(self, width=1360, height=900):
        self.profile = tempfile.mkdtemp(prefix="nongemm-page-")
        read, self.write = os.pipe()
        self.read, write = os.pipe()
        # The protocol is spoken on descriptors 3 and 4.
        command = [
            "bash",
            "-c",
            f'exec "$@" 3<&{read} 4>&{write}',
            "bash",
            PROGRAM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
            f"--window-size={width},{height}",
            f"--user-data-dir={self.profile}",
            "--remote-debugging-pipe",
            "about:blank",
        ]
        self.process = subprocess.Popen(
            command,
            pass_fds=(read, write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self.buffer = b""
        self.last = 0
        self.session = None
        self.console, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.read)
        os.close(self.write)
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read], [], [], max(0, deadline - time.monotonic()))
            part = os.read(self.read, 1 << 20) if ready else b""
            if not part:
                raise PageError("the browser does not answer")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.last += 1
        call = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.write, json.dumps(call).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.last:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                return message["result"]
            self.note(message)

    def note(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(one.get("value", one.get("description"))) for one in parameters["args"]))
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":
            self.console.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith("data:"):
            self.requests.append(parameters["request"]["url"])

    def run(self, expression):
        """The value of a JavaScript expression; a promise is waited for."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description", details["text"]) + f"\nin {expression}")
        return result["result"].get("value")

    def wait(self, expression):
        """Until an expression holds: pages answer a little later than they are asked."""
        deadline = time.monotonic() + 10
        while not self.run(f"Boolean({expression})"):
            if time.monotonic() > deadline:
                raise PageError(f"never came true: {expression}")
            time.sleep(0.02)

    def settle(self):
        """Until the page has drawn what it was told."""
        self.run("(async () => { for (let i = 0; i < 2; ++i) await new Promise(requestAnimationFrame); })()")

    def open(self, path):
        """Opens a file and waits until the page has drawn itself; seconds that took."""
        self.console.clear()
        self.requests.clear()
        begin = time.monotonic()
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while self.run("document.readyState + (document.documentElement?.dataset.ready || '')") != "completeyes":
            if self.console or time.monotonic() - begin > PATIENCE:
                raise PageError(f"{path} did not draw itself: {self.console}")
            time.sleep(0.02)
        return time.monotonic() - begin

    def busy(self):
        """Processor seconds of the page's process so far: a busy machine does not add to them, as it does to time."""
        self.call("Performance.enable")
        metrics = {one["name"]: one["value"] for one in self.call("Performance.getMetrics")["metrics"]}
        return metrics["ProcessTime"]

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def key(self, key):
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else None)
        codes = {
            "Tab": 9,
            "Enter": 13,
            "Escape": 27,
            "Home": 36,
            "ArrowLeft": 37,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowDown": 40,
        }
        common = {
            "key": key,
            "code": key if len(key) > 1 else "",
            "windowsVirtualKeyCode": codes.get(key, ord(key.upper()) if len(key) == 1 else 0),
        }
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def place(self, selector):
        """The middle of an element, scrolled into sight."""
        found = self.run(
            f"""(async () => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;
            e.scrollIntoView({{block: 'center', behavior: 'instant'}});
            for (let frame = 0; frame < 2; ++frame) await new Promise(requestAnimationFrame);
            const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; }})()"""
        )
        if found is None:
            raise PageError(f"nothing is {selector}")
        return found

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def hover(self, selector):
        self.move(*self.place(selector))

    def click(self, selector):
        self.press(*self.place(selector))

    def press(self, x, y):
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def wheel(self, x, y, by):
        # A wheel goes to what lies under the pointer, which a busy browser learns a frame after it came there.
        self.move(x, y)
        self.settle()
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=by)

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)")

    def screenshot(self, path, selector=None, clip=None):
        """The whole page, one element or one piece of it (left, top, width, height), as PNG."""
        box = clip
        if selector:
            box = self.run(
                f"""(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
                return [b.left + scrollX, b.top + scrollY, b.width, b.height]; }})()"""
            )
        piece = {"clip": dict(zip(("x", "y", "width", "height"), box), scale=1)} if box else {}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, **piece)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])
