package vault

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
)

// mostText bounds what OpenText makes of a text, in bytes.
const mostText = 1 << 20

// SealText is Seal for what a browser carries, in an address or a cookie: shortened before, and
// in the letters of RFC 4648 section 5. How long it is tells how much of what was sealed repeats
// itself: no secret is to be sealed again and again beside what somebody else may choose.
func (v *Vault) SealText(purpose, owner string, plain []byte) string {
	var b bytes.Buffer
	w := v.shortener(&b)
	_, _ = w.Write(plain) // into memory
	_ = w.Close()
	v.shorteners.Put(w)
	return base64.RawURLEncoding.EncodeToString(v.Seal(purpose, owner, b.Bytes()))
}

// shortener returns one that is free, or a new one: each has a megabyte, which is not to be had anew
// for every text.
func (v *Vault) shortener(to io.Writer) *flate.Writer {
	if w, ok := v.shorteners.Get().(*flate.Writer); ok {
		w.Reset(to)
		return w
	}
	w, err := flate.NewWriter(to, flate.BestCompression)
	if err != nil {
		panic(err) // the level is one
	}
	return w
}

// OpenText returns what SealText was given. ErrOpen when the text is not that.
func (v *Vault) OpenText(purpose, owner, text string) ([]byte, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrOpen
	}
	short, err := v.Open(purpose, owner, sealed)
	if err != nil {
		return nil, err
	}
	r, ok := v.lengtheners.Get().(io.Reader)
	if !ok {
		r = flate.NewReader(nil)
	}
	defer v.lengtheners.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(short), nil); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, mostText))
}
