"""What keeps a camera from working. A camera's process knows no reader and speaks English: `retold` finds each of its sentences again
here."""

from __future__ import annotations

from ui.words import gettext as _

SENTENCES = (
    _("no computer of the name %(host)s is known on this network: check the address"),
    _("%(host)s is there but refuses port %(port)s: check the port, and that RTSP is switched on in the camera"),
    _("%(host)s cannot be reached: is the camera switched on and on this network?"),
    _("%(place)s does not speak TLS: try rtsp:// in place of rtsps://"),
    _("%(place)s accepts a connection but says nothing: restart the camera, or check that this is its RTSP port"),
    _("%(place)s closed the connection without an answer: restart the camera, or check that this is its RTSP port"),
    _("%(place)s wants a way of signing in that is not known here (Basic and Digest are)"),
    _("%(place)s says that the user name or the password is wrong"),
    _("%(place)s answers, but not as an RTSP camera does: check the port (usually 554)"),
    _("%(place)s wants a user name and a password: put them into the address, %(address)s"),
    _("%(place)s has no stream under this path: look the path up in the camera's manual"),
    _("%(place)s answers with RTSP status %(status)s"),
    _("%(place)s describes a stream but sends no video that can be decoded: set the camera to H.264"),
    _("there is no USB camera %(number)s: is it plugged in, and may this program use cameras?"),
    _("%(place)s has stopped sending pictures"),
    _("USB camera %(number)s has stopped sending pictures"),
    _("a USB camera is given by its number, 0 for the first, not %(given)s"),
    _("there is no file %(path)s"),
    _("%(path)s is not a video that can be read: it is damaged, cut short or of an unknown format"),
    _("%(path)s is cut short or damaged: it ended after %(had)s of %(promised)s frames"),
    _("there is no folder %(path)s"),
    _("there is no picture in %(folder)s: it should hold %(kinds)s files"),
    _("%(folder)s holds %(n)s pictures, more than %(most)s: split it"),
    _("none of the %(n)s pictures could be read; the last: %(why)s"),
    _("%(name)s is not a picture that can be read"),
    _("%(name)s is %(width)sx%(height)s, over %(most)s megapixels: make it smaller"),
    _("%(name)s is damaged: its header says %(width)sx%(height)s, but it cannot be decoded"),
    _("it opens, but no frame of it can be decoded"),
    _("%(name)s gave no answer within %(seconds)s s: it hangs. Restart the camera."),
    _("the process that tried %(name)s out died: what the camera sends crashes the decoder"),
    _("its process could not be started: %(why)s"),
    _("its process was ended by signal %(signal)s"),
    _("its process ended with code %(code)s"),
    _("its process %(what)s"),
    _("did not stop when asked"),
    _("did not end after its last frame"),
    _("hung while reading"),
    _("did not get ready"),
    _("gave no sign of life"),
    _("got no frame done"),
    _("sent what is no message"),
    _("a camera's address begins with rtsp:// or rtsps://, for instance %(address)s"),
    _("the address names no host and port that can be used; it should read like %(address)s"),
    _("the address holds an @ behind the first /: write %%40 for each @ and %%2F for each / of password and path"),
)

