package management

import "context"

// TriedPerson notes that the actor asks the instances of a gateway what a sign-on
// of somebody would bring. It comes before the question: what cannot be noted is
// not asked.
func (s *Service) TriedPerson(ctx context.Context, by By, gateway, name string) error {
	return s.act(ctx, by, TryPerson, func(t *turn) error {
		g, err := t.Gateway(ctx, t.env(), gateway)
		if err != nil {
			return err
		}
		t.did(note{
			action:  "person.tried",
			subject: "gateway:" + g.ID,
			text:    "it was asked what a sign-on of " + name + " would bring",
		})
		return nil
	})
}
