# SPDX-License-Identifier: Apache-2.0
"""The map in a real browser, over a real tartand and etcd. `python3 map_tests.py TARTAND`; says each test's end in a line."""

import json
import signal
import sys
import time
import unittest

import standin
from chromium import Chromium
from cluster import Cluster, lease

NETWORK = {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}
LIVE = "document.getElementById('state').dataset.state === 'live'"
TARTAND = None
tab = cluster = None


def setUpModule():
    global tab, cluster
    # Whatever happens to who started this: nothing stays.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("the browser tests take too long"))
    signal.alarm(150)
    unittest.addModuleCleanup(signal.alarm, 0)
    tab = unittest.enterModuleContext(Chromium()).page()
    cluster = unittest.enterModuleContext(Cluster(TARTAND, NETWORK))


class MapTests(unittest.TestCase):
    def page(self, url=None):
        # One tab for all: a document begins anew with each address, and a process for each costs half a second.
        tab.open("about:blank")
        tab.prefer(color_scheme="light")
        tab.hover(1, 1)
        tab.complaints()
        tab.open(url or cluster.url)
        return tab

    def live(self, url=None):
        page = self.page(url)
        page.until(LIVE + " && document.getElementById('frame').hidden === false")
        return page

    def standin(self, *arguments, **named):
        other = standin.StandIn(cluster.url, *arguments, **named)
        self.addCleanup(other.close)
        return other

    def put(self, *arguments, **named):
        cluster.etcd.put(*arguments, **named)
        self.addCleanup(cluster.etcd.delete, list(arguments[0]))

    def find(self, page, text):
        page.press("Escape")
        page.press("/")
        page.type(text)
        page.press("Enter")

    def facts(self, page):
        return page.run("""Object.fromEntries([...document.querySelectorAll('#facts dt')].map(
            (term) => [term.textContent, term.nextSibling.textContent]))""")

    CENTRE = """((cell) => {
        const canvas = document.getElementById('ground');
        const side = canvas.width / Number(document.getElementById('grid').getAttribute('aria-colcount'));
        const columns = Number(document.getElementById('grid').getAttribute('aria-colcount'));
        const x = (cell % columns + 0.5) * side, y = (Math.floor(cell / columns) + 0.5) * side;
        return [...canvas.getContext('2d').getImageData(x + 2, y + 2, 1, 1).data].join();
    })"""

    def test_a_lease_made_in_etcd_appears_and_one_deleted_there_goes(self):
        page = self.live()
        page.until("document.getElementById('count-own').textContent === '1'")
        before = page.run(self.CENTRE + "(7)")
        self.put({"10.244.7.0-24": lease("weaver", 7)}, cluster.etcd.grant(600))
        page.until("document.getElementById('count-leases').textContent === '1'", what="the lease is counted")
        page.until(self.CENTRE + f"(7) !== '{before}'", what="the cell is dyed")
        self.assertIn("2 leased, 0 reserved, 253 free", page.text("counts"))
        cluster.etcd.delete(["10.244.7.0-24"])
        page.until("document.getElementById('count-leases').textContent === '0'", what="the lease is gone")
        page.until(self.CENTRE + f"(7) === '{before}'", what="the cell is undyed")
        # Of this test's own looking.
        self.assertEqual([said for said in page.complaints() if not said.startswith('Canvas2D')], [])

    def test_flannels_leases_reservations_other_lengths_and_places_elsewhere_are_told_apart(self):
        grant = cluster.etcd.grant(600)
        self.put({"10.244.9.0-24": lease(None, 9, owner=None), "10.244.16.0-22": lease("wide", 10),
                  "10.9.9.0-24": lease("afar", 11)}, grant)
        self.put({"10.244.33.0-24": lease("kept", 12)})
        page = self.live()
        page.until("document.getElementById('count-reserved').textContent === '1'")
        self.assertEqual(page.text("count-foreign"), "1")
        self.assertEqual(page.text("count-leases"), "2")
        self.assertIn("6 leased, 1 reserved, 248 free", page.text("counts"))
        self.assertIn("1 lease lies outside of 10.244.0.0/16", page.text("remark"))
        for cell in (16, 17, 18, 19):
            self.assertNotEqual(page.run(self.CENTRE + f"({cell})"), page.run(self.CENTRE + "(20)"))
        self.find(page, "172.16.0.9")
        page.until("document.getElementById('subject').textContent === '10.244.9.0/24'")
        self.assertEqual(page.text("subject-kind"), "Lease of flannel")
        self.find(page, "10.244.18.77")
        page.until("document.getElementById('subject').textContent === '10.244.16.0/22'")
        self.assertEqual(self.facts(page)["Node"], "wide")
        self.find(page, "kept")
        page.until("document.getElementById('subject').textContent === '10.244.33.0/24'")
        self.assertEqual(self.facts(page)["Ends"], "never")

    def test_the_keyboard_is_enough(self):
        self.put({"10.244.40.0-24": lease("alpha", 40), "10.244.90.0-24": lease("alpine", 41)}, cluster.etcd.grant(600))
        page = self.live()
        page.until("document.getElementById('count-leases').textContent === '2'")
        focus = "document.activeElement.id"
        for _ in range(6):
            if page.run(focus) == "cell":
                break
            page.press("Tab")
        self.assertEqual(page.run(focus), "cell")
        self.assertEqual(page.run("getComputedStyle(document.activeElement).outlineStyle"), "solid")
        place = "[+document.getElementById('row').getAttribute('aria-rowindex'), +document.activeElement.getAttribute('aria-colindex')].join()"
        columns = page.run("+document.getElementById('grid').getAttribute('aria-colcount')")
        rows = 256 // columns
        for key, control, wanted in (
                ("Home", True, "1,1"), ("ArrowRight", False, "1,2"), ("ArrowDown", False, "2,2"), ("End", False, f"2,{columns}"),
                ("ArrowRight", False, "3,1"), ("ArrowLeft", False, f"2,{columns}"), ("ArrowUp", False, f"1,{columns}"),
                ("ArrowUp", False, f"1,{columns}"), ("Home", False, "1,1"), ("ArrowLeft", False, "1,1"),
                ("PageDown", False, "9,1"), ("PageUp", False, "1,1"), ("End", True, f"{rows},{columns}")):
            page.press(key, control)
            self.assertEqual(page.run(place), wanted, key)
        self.assertEqual(page.text("subject"), "10.244.255.0/24")
        self.assertEqual(page.text("cell"), "10.244.255.0/24, free")
        page.until("document.getElementById('say').textContent === '10.244.255.0/24, free.'", what="it is said aloud")
        page.press("/")
        self.assertEqual(page.run(focus), "query")
        page.type("ALP")
        page.until("document.getElementById('found').textContent.startsWith('2 leases')")
        self.put({"10.244.91.0-24": lease("alpaca", 42)}, cluster.etcd.grant(600))
        page.until("document.getElementById('found').textContent.startsWith('3 leases')", what="what comes is found")
        cluster.etcd.delete(["10.244.91.0-24"])
        page.until("document.getElementById('found').textContent.startsWith('2 leases')", what="what goes is not")
        page.press("Enter")
        self.assertEqual((page.text("found"), page.text("subject")), ("1 of 2 leases", "10.244.40.0/24"))
        page.press("Enter")
        self.assertEqual(page.text("subject"), "10.244.90.0/24")
        page.press("Escape")
        self.assertEqual((page.run(focus), page.text("found"), page.run("document.getElementById('query').value")), ("cell", "", ""))
        page.press("m")
        self.assertEqual(page.text("subject-kind"), "This node")
        self.find(page, "10.244.200.9")
        self.assertEqual((page.text("found"), page.text("subject")), ("In the network, and nobody holds it", "10.244.200.0/24"))

    def test_details_come_with_the_pointer_and_with_the_focus_and_say_when_it_ends(self):
        self.put({"10.244.50.0-24": lease("hovered", 50)}, cluster.etcd.grant(3000))
        page = self.live()
        page.until("document.getElementById('count-leases').textContent === '1'")
        x, y = page.run("""(() => { const box = document.getElementById('ground').getBoundingClientRect();
            const columns = Number(document.getElementById('grid').getAttribute('aria-colcount')), side = box.width / columns;
            return [box.left + (50 % columns + 0.5) * side, box.top + (Math.floor(50 / columns) + 0.5) * side]; })()""")
        page.hover(x, y)
        page.until("document.getElementById('subject').textContent === '10.244.50.0/24'")
        facts = self.facts(page)
        self.assertEqual((facts["Node"], facts["Public IP"]), ("hovered", "172.16.0.50"))
        self.assertIn("vxlan, VNI 1, 02:00:00:00:00:32", facts["Backend"])
        self.assertRegex(facts["Revision"], r"^\d+$")
        page.until("/^in (49|50) min/.test([...document.querySelectorAll('#facts dd')].pop().textContent)", what="the time left")
        page.hover(5, 5)
        page.until("document.getElementById('subject').textContent !== '10.244.50.0/24'")
        page.click(x, y)
        page.hover(5, 5)
        self.assertEqual((page.text("subject"), page.run("document.activeElement.id")), ("10.244.50.0/24", "cell"))

    def test_a_lease_that_is_about_to_end_says_so(self):
        self.put({"10.244.51.0-24": lease("last", 51)}, cluster.etcd.grant(40))
        page = self.live()
        self.find(page, "last")
        page.until("[...document.querySelectorAll('#facts dd')].pop().textContent.endsWith(': about to end')")

    def test_what_a_node_is_called_is_text(self):
        name = "<img src=x onerror=window.harm=1><script>window.harm=1</script>"
        self.put({"10.244.60.0-24": lease(name, 60)}, cluster.etcd.grant(600))
        page = self.live()
        self.find(page, "onerror")
        page.until("document.getElementById('subject').textContent === '10.244.60.0/24'")
        self.assertEqual(self.facts(page)["Node"], name)
        self.assertIn(name, page.text("cell"))
        self.assertEqual(page.run("[typeof window.harm, document.images.length, document.scripts.length].join()"), "undefined,0,1")
        # The policy would hold as well: markup from text is refused, and so is a script that is put in.
        self.assertIn("TrustedHTML", page.run("""(() => { try { document.body.innerHTML = '<b>'; return 'no'; }
            catch (error) { return String(error); } })()"""))

    def test_without_a_network_it_says_what_to_do_and_fills_when_there_is_one(self):
        with Cluster(TARTAND) as bare:
            page = self.page(bare.url)
            page.until("document.getElementById('empty-title').textContent === 'There is no network yet'")
            self.assertIn("tartan network init", page.text("empty-code"))
            bare.etcd.config(NETWORK)
            page.until("document.getElementById('empty').hidden && document.getElementById('count-own').textContent === '1'", limit=25)

    def test_a_lost_connection_is_said_and_mended(self):
        with Cluster(TARTAND, NETWORK, node="n9") as other:
            page = self.live(other.url)
            port = other.port
            other.stop_daemon()
            page.until("document.getElementById('state').dataset.state === 'lost'")
            self.assertIn("What is shown is as of", page.text("notice-text"))
            other.etcd.put({"10.244.70.0-24": lease("meanwhile", 70)}, other.etcd.grant(600))
            other.start(port)
            page.run("document.getElementById('retry').click()")
            page.until(LIVE + " && document.getElementById('count-leases').textContent === '1'", limit=20)
            page.until("document.getElementById('notice').hidden")

    def test_a_token_is_asked_for_sent_and_kept_nowhere(self):
        other = self.standin(standin.network("10.244.0.0/16", 24, "10.244.1.0", "10.244.255.0"),
                             leases=[standin.lease("10.244.3.0/24")], token="s3cret")
        page = self.page(other.url)
        page.until("!document.getElementById('access').hidden && document.activeElement.id === 'token'")
        page.type("no such töken")
        page.press("Enter")
        page.until("document.getElementById('access-text').textContent.startsWith('A token has')")
        page.type("wrong")
        page.press("Enter")
        page.until("document.getElementById('access-text').textContent === 'That token is not let in: give a token'")
        page.type("s3cret")
        page.press("Enter")
        page.until(LIVE + " && document.getElementById('count-leases').textContent === '1'")
        self.assertTrue(page.run("document.getElementById('access').hidden"))
        self.assertEqual(page.run("document.cookie + localStorage.length + sessionStorage.length + location.href"), "00" + other.url)

    def test_a_stream_that_was_cut_goes_on_behind_its_last_event(self):
        other = self.standin(standin.network("10.244.0.0/16", 24, "10.244.1.0", "10.244.255.0"), leases=[standin.lease("10.244.3.0/24")])
        page = self.live(other.url)
        other.send([("added", {"subnet": 7}), ("added", None), ("added", standin.lease("10.244.4.0/24", node="n4"))])
        page.until("document.getElementById('count-leases').textContent === '2'")
        other.cut()
        page.until("document.getElementById('state').dataset.state === 'lost'")
        page.until(LIVE)
        self.assertEqual([headers.get("Last-Event-ID") for path, headers in other.asked if path == "/v1/leases"], [None, "4"])
        other.send([("removed", standin.lease("10.244.4.0/24", node="n4"))])
        page.until("document.getElementById('count-leases').textContent === '1'")

    def test_light_and_dark_follow_the_system_until_told_otherwise(self):
        page = self.live()
        back = "getComputedStyle(document.body).backgroundColor"
        page.prefer(color_scheme="light")
        page.until(back + " === 'rgb(246, 242, 233)'")
        light = page.run(self.CENTRE + "(100)")
        page.prefer(color_scheme="dark")
        page.until(back + " === 'rgb(18, 21, 23)' && " + self.CENTRE + f"(100) !== '{light}'")
        page.run("document.getElementById('theme').click()")
        page.until(back + " === 'rgb(246, 242, 233)' && " + self.CENTRE + f"(100) === '{light}'")

    def test_every_text_has_the_contrast_of_wcag_aa(self):
        page = self.live()
        self.find(page, "n1")
        for scheme in ("light", "dark"):
            page.prefer(color_scheme=scheme)
            page.until(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
            worst = page.run("""(() => {
                const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
                const read = (text) => text.match(/[\\d.]+/g).map(Number);
                const back = (node) => { for (; node; node = node.parentElement) {
                    const colour = read(getComputedStyle(node).backgroundColor); if (colour.length === 3 || colour[3] === 1) return colour; } };
                let worst = [99, ''];
                for (const node of document.querySelectorAll('body *')) {
                    if (!node.checkVisibility() || node.id === 'cell' || ![...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim())) continue;
                    const [a, b] = [light(read(getComputedStyle(node).color)), light(back(node))].sort((x, y) => y - x);
                    const ratio = (a + 0.05) / (b + 0.05);
                    if (ratio < worst[0]) worst = [ratio, node.textContent];
                }
                const palette = Palettes[theme()], hex = (t) => [1, 3, 5].map((i) => parseInt(t.slice(i, i + 2), 16));
                const ground = [...palette.warps, ...palette.wefts].map((c) => light(hex(c)));
                const dyes = [...palette.dyes, palette.reserved, palette.foreign, palette.own].map((c) => light(hex(c)));
                let least = 99;
                for (const g of ground) for (const d of dyes) least = Math.min(least, (Math.max(g, d) + 0.05) / (Math.min(g, d) + 0.05));
                return [...worst, least]; })()""")
            self.assertGreaterEqual(worst[0], 4.5, f"{scheme}: {worst[1]}")
            self.assertGreaterEqual(worst[2], 3, f"{scheme}: a dye against the undyed cloth")

    def test_65536_subnets_take_no_element_each_and_are_read_while_the_page_lives(self):
        leases = [standin.lease(f"10.{i >> 8}.{i & 255}.0/24", node=f"node-{i}", ip=f"172.16.{i >> 8 & 255}.{i & 255}") for i in range(256, 65536)]
        other = self.standin(standin.network("10.0.0.0/8", 24, "10.0.1.0", "10.255.255.0"), leases=leases)
        page = self.live(other.url)
        page.until("document.getElementById('count-leases').textContent === '65,280'", limit=20)
        self.assertLess(page.run("document.querySelectorAll('*').length"), 300)
        self.find(page, "node-40000")
        page.until("document.getElementById('subject').textContent === '10.156.64.0/24'")
        self.assertFalse(page.run("document.getElementById('loupe').hidden"))
        box = "(({top, bottom}) => top >= 0 && bottom <= innerHeight)(document.getElementById('cell').getBoundingClientRect())"
        page.until(box, what="the find is in view")

    def test_networks_of_ipv6_and_of_more_subnets_than_marks_are_drawn(self):
        for document, held, expected in (
                (standin.network(None, 0, ipv6=("fd00:10::/32", 64, "fd00:10::", "fd00:10:ffff:ffff::")),
                 standin.lease("0.0.0.0/0", ipv6="fd00:10:7:1::/64"), "this is its IPv6 range"),
                (standin.network("10.244.0.0/16", 24, "10.244.1.0", "10.244.255.0", ipv6=("fd00:10:244::/48", 64, "fd00:10:244:1::", "fd00:10:244:ffff::")),
                 standin.lease("10.244.5.0/24", ipv6="fd00:10:244:5::/64"), "IPv4 is drawn; the IPv6 subnets of fd00:10:244::/48"),
                (standin.network("10.0.0.0/8", 28, "10.0.0.16", "10.255.255.240"), standin.lease("10.9.9.16/28"), "A mark is 16 subnets of /28."),
                (standin.network("192.168.0.0/28", 30, "192.168.0.4", "192.168.0.12"), standin.lease("192.168.0.8/30"), "A mark is a /30")):
            with self.subTest(expected), standin.StandIn(cluster.url, document, leases=[held]) as other:
                page = self.live(other.url)
                page.until("document.getElementById('count-leases').textContent === '1'")
                self.assertIn(expected, page.text("remark"))
                self.find(page, "n2")
                page.until("document.getElementById('subject-kind').textContent.startsWith('Lease')")
                self.assertEqual(self.facts(page)["Node"], "n2")
                self.assertEqual(page.complaints(), [])

    def test_addresses_are_read_and_written_as_others_do(self):
        page = self.live()
        for text, wanted in (("::", "::"), ("fd00::1", "fd00::1"), ("::ffff:1.2.3.4", "::ffff:102:304"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
                             ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("10.0.0.1", "10.0.0.1")):
            self.assertEqual(page.run(f"(({{family, first}}) => formatAddress(family, first))(parsePrefix('{text}'))"), wanted)
        for text in ("", "1.2.3", "1.2.3.256", "1.2.3.4/33", "1:2", ":::", "1::2::3", "g::", "::/129", "1.2.3.4/", "::1.2.3"):
            self.assertIsNone(page.run(f"parsePrefix('{text}')"), text)

    def test_a_node_has_the_dye_that_it_has_in_the_terminal(self):
        # NetworkMapTests asks `tartan map` for the same.
        self.assertEqual(self.live().run("['n1', 'node-42', 'Zürich', ''].map(dyeOf)"), [3, 6, 6, 2])

    def test_a_snapshot_in_pieces_of_any_size_is_the_same_snapshot(self):
        page = self.live()
        lines = ("retry: 500\n\nevent: snapshot\nid: 7\ndata: " + json.dumps({"revision": "7", "items": [
            {"subnet": "1/1", "node": 'a"}]}\\{[', "backend": {"x": [{}]}}, {"subnet": "2/2", "node": "}"}]}) + "\n\n"
            ": alive\r\n\r\nevent: added\ndata: {\"subnet\":\"3/3\"}\n\nevent: removed\ndata: {\"subnet\":\n"
            "data: \"3/3\"}\nid: 9\n\nevent: later\ndata: ?\n\n")
        heard = """(size) => { const heard = [];
            const text = new EventText({ snapshotBegins: () => heard.push('begin'), snapshotLease: (lease) => heard.push(lease.node),
                snapshotEnds: (id) => heard.push('end ' + id), change: (name, lease) => heard.push(name + lease.subnet),
                reached: (id) => heard.push(id), pause: (time) => heard.push(time) });
            const all = %s; for (let i = 0; i < all.length; i += size) text.take(all.slice(i, i + size)); return heard; }""" % json.dumps(lines)
        wanted = [500, "begin", 'a"}]}\\{[', "}", "end 7", "7", "added3/3", "removed3/3", "9"]
        for size in (1, 2, 3, 7, 50, 10_000):
            self.assertEqual(page.run(f"({heard})({size})"), wanted, size)


class Result(unittest.TextTestResult):
    """One line for each test that failed, for who reads this by machine; the details above it for people."""

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        print(f"{time.monotonic() - self.began:6.2f} s  {test._testMethodName}", file=sys.stderr)


if __name__ == "__main__":
    TARTAND = sys.argv.pop(1)
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Result, verbosity=0))
